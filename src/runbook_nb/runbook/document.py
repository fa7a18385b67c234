"""A notebook document, read from its Markdown or its notebook: front matter and cells."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.cells import Cell, cut_cells
from runbook_nb.runbook.lean import lean_imports

_LOG: Final = "## Validation Log"
ENDS_COMMENT: Final = "-->"
# In a comment it is hidden from a forge, which would show it as a table above the runbook.
_FRONT: Final = re.compile(
    r"(?P<hides><!--\s*^)?---[ \t\r]*\n(?P<yaml>.*?)^---[ \t\r]*$(?(hides)\s*^-->[ \t\r]*$)",
    re.DOTALL | re.MULTILINE,
)
# What JSON and a notebook that is none may raise when they are looked into.
_WRONG: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, kw_only=True)
class Document:
    """What one file of a pair says; nothing in it was run, and outputs are as they were stored.

    ``lines`` are those of the Markdown, ``body_line`` the number of the first below its front
    matter. ``stored`` is the whole notebook as it was read, empty for Markdown.
    """

    path: Path
    metadata: Mapping[str, Any]
    cells: tuple[Cell, ...]
    stored: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    body_line: int = 1

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a ``.md`` or ``.ipynb`` file; raises RunbookFormatError, and OSError without one."""
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            said = f"it is not UTF-8: {error.reason} at byte {error.start}"
            raise _unreadable(path, said, "Save it as UTF-8.") from error
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: str, path: Path) -> "Document":
        """Return what a text says that stands, or shall stand, at ``path``."""
        return _of_markdown(text, path) if path.suffix == ".md" else _of_notebook(text, path)

    @property
    def front(self) -> Mapping[str, Any]:
        """The front matter's ``runbook`` entry; empty where there is none."""
        found = self.metadata.get("runbook")
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def own_cells(self) -> list[Cell]:
        """The cells without those that a run put in."""
        return [cell for cell in self.cells if not cell.is_injected]

    @property
    def digest(self) -> str:
        """The SHA-256 of kind and text of all own cells: an approval is for one text."""
        return _digest([[cell.kind, cell.source] for cell in self.own_cells])

    @property
    def body_digest(self) -> str:
        """The digest of what an author writes: a validation renews header and log, and no more."""
        written = self.own_cells[1:]
        return _digest([[cell.kind, cell.source.partition(_LOG)[0]] for cell in written])

    @property
    def ours(self) -> dict[str, Any]:
        """The metadata that is ours; all else may be added by an editor when it saves."""
        pairing = self.metadata.get("jupytext")
        formats = pairing.get("formats") if isinstance(pairing, Mapping) else None
        return {"runbook": self.front, "formats": formats}

    @property
    def content(self) -> tuple[Any, ...]:
        """What two files of a pair are compared by: our metadata, and the cells with their tags.

        A cell that was run is another one: outputs are of another night.
        """
        return self.ours, [(cell.kind, cell.source, cell.tags, cell.was_run) for cell in self.cells]

    @property
    def text_lines(self) -> list[str]:
        """The lines of all own cells, a blank one after each."""
        return [line for cell in self.own_cells for line in [*cell.source.splitlines(), ""]]


def read_whole_notebook(path: Path) -> Any:
    """Read a notebook as the notebook libraries know it, of any version, with its outputs.

    Raises RunbookFormatError, and OSError where there is none.
    """
    lean_imports()
    import nbformat

    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (*_WRONG, nbformat.ValidationError) as error:
        raise _unreadable(path, _said(error), "Open it in an editor of notebooks.") from error


def _split_front_matter(text: str, path: Path) -> tuple[dict[str, Any], int]:
    """Return the notebook's metadata and the number of the line below the front matter."""
    import yaml  # type: ignore[import-untyped]

    # libyaml reads it ten times as fast; without it the result is the same.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = _FRONT.match(text)
    if not found:
        said = "The file has no front matter between two lines of `---`."
        raise _unreadable(path, said, "`runbook new` makes one to start from.")
    try:
        read = yaml.load(found["yaml"], Loader=loader)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = f"The front matter is not YAML: {' '.join(str(error).split())}."
        raise _unreadable(path, said, "") from error
    metadata = read.get("jupyter") if isinstance(read, dict) else None
    return metadata if isinstance(metadata, dict) else {}, text.count("\n", 0, found.end()) + 2


def _of_markdown(text: str, path: Path) -> Document:
    lines = text.split("\n")
    metadata, body_line = _split_front_matter(text, path)
    # The last line of a file ends with a line break, and none follows it.
    body = lines[body_line - 1 :] if lines[-1] else lines[body_line - 1 : -1]
    cells = tuple(cut_cells(body, first=body_line))
    return Document(
        path=path,
        metadata=metadata,
        cells=cells,
        stored={},
        lines=tuple(lines),
        body_line=body_line,
    )


def _of_notebook(text: str, path: Path) -> Document:
    try:
        stored = json.loads(text)
        metadata, listed = stored["metadata"], stored["cells"]
        if not isinstance(metadata, dict) or not isinstance(listed, list):
            message = "its cells and metadata are of another form"
            raise TypeError(message)
    except _WRONG as error:
        fix = "Write it from its Markdown: runbook fmt."
        raise _unreadable(path, _said(error), fix) from error
    cells = []
    for number, cell in enumerate(listed, start=1):
        try:
            cells.append(Cell.of(cell))
        except _WRONG as error:
            fix = "Write it from its Markdown: runbook fmt."
            raise _unreadable(path, f"cell {number}: {_said(error)}", fix) from error
    return Document(path=path, metadata=metadata, cells=tuple(cells), stored=stored)


def _digest(cells: list[list[str]]) -> str:
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _said(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _unreadable(path: Path, said: str, fix: str) -> RunbookFormatError:
    problem = said if said.endswith(".") else f"it cannot be read: {said}."
    return RunbookFormatError(f"{path}: {problem} {fix}".rstrip())
