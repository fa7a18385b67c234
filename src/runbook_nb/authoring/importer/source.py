"""Read a file somebody else wrote: its text, line by line, and the front matter of other tools."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.authoring.importer.readers import MARKDOWN, READERS, reader_of, without_macros
from runbook_nb.errors import RunbookFormatError, RunbookNotFoundError

# What other readers of lines break at, the notebook's among them; one kind of line end is left.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_MARKS: Final = {"---": ("---", "..."), "+++": ("+++",)}
_KEY = re.compile(r"^[\"']?[A-Za-z_][\w .-]*[\"']?\s*[:=](?:\s|$)|^#")
_OURS = re.compile(r"^jupyter:\s*$(?:\n[ ].*)*?\n  runbook:\s*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A source's lines below its front matter; ``first`` is the number of the first of them."""

    name: str
    front: tuple[str, ...]
    lines: tuple[str, ...]
    first: int

    @property
    def text(self) -> str:
        """The lines below the front matter as one text."""
        return "\n".join(self.lines)


def read_source(path: Path) -> Source:
    """Read a file by the reader of its kind.

    Raises RunbookNotFoundError or RunbookFormatError in one sentence.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        message = f"There is no file {path}."
        raise RunbookNotFoundError(message) from None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise RunbookNotFoundError(message) from error
    return parse_source(path.name, content)


def parse_source(name: str, content: bytes) -> Source:
    """Return a file's lines; raises RunbookFormatError for what is no text, or empty."""
    if not content.strip():
        message = f"{name} is empty: there is nothing to import."
        raise RunbookFormatError(message)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = (
            f"{name} is not UTF-8: {error.reason} at byte {error.start}. "
            f"Convert it first: iconv -f LATIN1 -t UTF-8 {name}"
        )
        raise RunbookFormatError(message) from error
    if "\0" in text:
        message = f"{name} is no text: it holds zero bytes."
        raise RunbookFormatError(message)
    lines = _read(name, _clean(text))
    if not any(map(str.strip, lines)):
        message = f"{name} is empty: there is nothing to import."
        raise RunbookFormatError(message)
    end = _front_end(lines)
    front = tuple(lines[1 : end - 1]) if end else ()
    if _OURS.search("\n".join(front or _comment(lines))):
        message = f"{name} is a runbook already. Copy it to the runbooks and run `runbook fmt`."
        raise RunbookFormatError(message)
    below = tuple(without_macros(lines[end:]))
    return Source(name=name, front=front, lines=below, first=end + 1)


def _read(name: str, text: str) -> list[str]:
    """Return a source as lines of Markdown, by the reader that its name asks for."""
    suffix = Path(name).suffix.lower()
    try:
        reader = reader_of(suffix, text)
        return reader(text) if reader else text.split("\n")
    except KeyError:
        known = ", ".join(sorted((MARKDOWN | {*READERS}) - {""}))
        message = f"{name} is of no kind that is read here, which are {known}."
        raise RunbookFormatError(message) from None
    except RunbookFormatError as error:
        message = f"{name}: {error}"
        raise RunbookFormatError(message) from error


def _clean(text: str) -> str:
    """Return text with one kind of line end and no control characters, which no reader shows."""
    text = _LINE_ENDS.sub("\n", text)
    return "".join(
        " " if unicodedata.category(sign) == "Cc" and sign not in "\n\t" else sign for sign in text
    )


def _comment(lines: list[str]) -> list[str]:
    """Return the lines of a comment at the top, where runbooks hide their front matter."""
    if not lines[0].startswith("<!--"):
        return []
    return lines[: next((at for at, line in enumerate(lines) if "-->" in line), 0)]


def _front_end(lines: list[str]) -> int:
    """Return how many lines the front matter takes, its marks included; 0 without one."""
    closing = _MARKS.get(lines[0].rstrip())
    if not closing:
        return 0
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() in closing), 0)
    first = next((line for line in lines[1:end] if line.strip()), "")
    return end + 1 if end and _KEY.match(first) else 0
