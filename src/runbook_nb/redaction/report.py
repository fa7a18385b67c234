"""What was masked in an incident's folder, and what was not: counted from the files themselves.

The command, its kernel and JupyterLab all mask, each in its own process. What they masked stands
in the files as ``[masked: kind]``, so that the files are the count and nothing is lost with a
process.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from runbook_nb.redaction.encodings import COVERED, NOT_COVERED
from runbook_nb.redaction.redactor import Redactor
from runbook_nb.redaction.spans import MARK

_SIZE_LIMIT: Final = 20_000_000  # bytes of one file; an executed copy has at most a few million
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_INDEX: Final = re.compile(r"\[\d+\]")
Texts = Iterator[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Masked:
    """How often one kind of secret stands at one place of one file; never the value.

    ``file`` is the path within the folder, ``place`` an event's field or a cell's part.
    """

    file: str
    place: str
    kind: str
    count: int


@dataclass(frozen=True, kw_only=True)
class RedactionReport:
    """What is masked in a folder, what looks like a secret and is not, and what was not read.

    ``left`` is written by others than this program, such as a log that a responder added.
    ``unread`` are files that hold no text, or too much of it. ``looked_for`` says in which codes a
    secret was looked for, and ``not_looked_for`` in which it would not have been found.
    """

    masked: tuple[Masked, ...] = ()
    left: tuple[Masked, ...] = ()
    unread: tuple[str, ...] = ()
    looked_for: tuple[str, ...] = COVERED
    not_looked_for: tuple[str, ...] = NOT_COVERED

    @property
    def total(self) -> int:
        """How many secrets are masked."""
        return sum(each.count for each in self.masked)

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many of each kind are masked, most first."""
        return _summed((each.kind, each.count) for each in self.masked)

    @property
    def files(self) -> Mapping[str, int]:
        """How many are masked in each file, most first."""
        return _summed((each.file, each.count) for each in self.masked)


def report_of(
    folder: Path, *, lines: str, without: Collection[str], redactor: Redactor | None = None
) -> RedactionReport:
    """Count what is masked in the files of an incident's folder, and look for what is not.

    ``lines`` is the name of the file that holds an event a line, ``without`` names files that are
    made of the others. These and hidden files are left out. Raises nothing for what is on disk.
    """
    # Most texts of a timeline are a few words, said again on every line.
    mask = cache((redactor or Redactor()).mask)
    counted = cache(partial(_counted, mask))
    masked: Counter[tuple[str, str, str]] = Counter()
    left: Counter[tuple[str, str, str]] = Counter()
    unread = []
    for path, name in _files(folder, without):
        try:
            texts = list(_texts(path, lines))
        except (OSError, ValueError, AttributeError, TypeError, RecursionError):
            unread.append(mask(name))
            continue
        for place, text in [("file name", name), *texts]:
            found, more = counted(text)
            if not (found or more):
                continue
            where = (mask(name), _INDEX.sub("", mask(place)))
            masked.update({(*where, kind): count for kind, count in found.items()})
            left.update({(*where, kind): count for kind, count in more.items()})
    return RedactionReport(masked=_listed(masked), left=_listed(left), unread=tuple(unread))


def _counted(mask: Callable[[str], str], text: str) -> tuple[Counter[str], Counter[str]]:
    """Return what is masked in a text, and what would be if it were masked now."""
    found, masked = kinds_in(text), mask(text)
    return found, (kinds_in(masked) - found if masked != text else Counter())


def kinds_in(text: str) -> Counter[str]:
    """Count the marks of masked secrets in a text, by kind."""
    return Counter(match[1] or match[2] for match in MARK.finditer(text))


def _files(folder: Path, without: Collection[str]) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if not hidden and not path.is_symlink() and path.is_file() and str(name) not in without:
            yield path, str(name)


def _texts(path: Path, lines: str) -> Texts:
    """Return the texts of a file, each with its place; raises ValueError for what is no text."""
    if path.stat().st_size > _SIZE_LIMIT:
        raise ValueError
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return _of_notebook(json.loads(text))
    if path.name == lines:
        return _of_timeline(text)
    return iter([("text", text)])


def _of_timeline(text: str) -> Texts:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            event = json.loads(line)
        except ValueError:
            yield f"event {number}", line
            continue
        kind = ""
        if isinstance(event, dict):
            kind = event.get("kind", "")
            # Digests differ on every line and can hold no words.
            event = {name: value for name, value in event.items() if not _is_digest(value)}
        yield from _of_value(event, f"event {number} {kind}".rstrip())


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def _of_notebook(notebook: Any) -> Texts:
    if not isinstance(notebook, Mapping):
        raise TypeError
    yield from _of_value(notebook.get("metadata"), "notebook metadata")
    for number, cell in enumerate(notebook.get("cells", ()), start=1):
        yield f"cell {number}, source", _text(cell.get("source", ""))
        yield from _of_value(cell.get("metadata"), f"cell {number}, metadata")
        yield from _of_value(cell.get("attachments"), f"cell {number}, attachments")
        for place, output in enumerate(cell.get("outputs", ()), start=1):
            yield from _of_output(output, f"cell {number}, output {place}")


def _of_output(output: Any, where: str) -> Texts:
    for name, value in output.items():
        if name == "data":
            for kind, form in value.items():
                if not kind.startswith("image/") or "svg" in kind:
                    yield from _of_value(_text(form), f"{where} {kind}")
        elif name != "output_type":
            yield from _of_value(_text(value), f"{where} {name}")


def _text(value: Any) -> Any:
    """Return the lines of a text as one, and anything else as it is."""
    is_lines = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "".join(value) if is_lines else value


def _of_value(value: Any, where: str) -> Texts:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield f"{where}, key", str(key)
            yield from _of_value(item, f"{where}, {key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _of_value(item, f"{where}[{number}]")


def _listed(counts: Counter[tuple[str, str, str]]) -> tuple[Masked, ...]:
    return tuple(
        Masked(file=file, place=place, kind=kind, count=count)
        for (file, place, kind), count in sorted(counts.items())
    )


def _summed(pairs: Iterable[tuple[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for name, count in pairs:
        total[name] += count
    return dict(total.most_common())
