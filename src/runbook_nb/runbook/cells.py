"""The cells of a notebook, and the Markdown of a pair cut into them as the pairing does it.

What becomes a cell that runs is decided here, line for line as jupytext decides it, whose import
would take longer than all else that reads a runbook.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from runbook_nb.runbook.markdown import Heading, Markdown, read_headings, read_markdown
from runbook_nb.runbook.quotes import Quotes

# What turns into a cell that runs when it stands behind a fence, also in capitals.
_LANGUAGES: Final = """
R bash c# c++ clojure coconut cs csharp cython f# fs fsharp gnuplot go groovy haskell html idl java
javascript jenner js julia latex logtalk lua markdown matlab maxima ocaml octave perl powershell
pypy python python2 python3 q robotframework ruby rust sage sas scala scheme script sh sos spark sql
stata svg tcl typescript xonsh
"""
_NAMES: Final = (*_LANGUAGES.split(), "wolfram language")
RUNNABLE: Final = frozenset(_NAMES) | frozenset(name.upper() for name in _NAMES)
PYTHON: Final = ("python", "python3")
# Behind these, the notebook holds the lines as they are; all others get a mark of their own.
UNMARKED: Final = (RUNNABLE - frozenset(_NAMES)) | frozenset(PYTHON)
_START: Final = re.compile(
    rf"^```(?P<more>`*)\s*(?P<language>{'|'.join(sorted(map(re.escape, RUNNABLE)))})"
    r"(?P<rest>$|\s.*$)"
)
_REGION: Final = re.compile(r"^<!--\s*#(?P<name>region|markdown|md|raw)(?P<rest>.*)-->\s*$")
_TAGS: Final = re.compile(r"\btags=\[(?P<tags>[^\]]*)\]")
_TAG: Final = re.compile(r"[\"']([^\"']+)[\"']")
_SPLITTING: Final = 2  # blank lines part two cells of text
INJECTED: Final = ("injected-parameters", "papermill-error-cell-tag")
_TRIES: Final = 9  # of a parse that other threads held up


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell: its kind as in the notebook, its text, and the line where the text begins.

    ``line`` is 0 for what was read from a notebook; ``stored`` is the cell as it stands in that,
    with its outputs. ``language`` is what stands behind the fence.
    """

    kind: str
    source: str
    id: str = ""
    tags: tuple[str, ...] = ()
    line: int = 0
    language: str = PYTHON[0]
    stored: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Cell":
        """Return a cell as a notebook stores it; raises KeyError or TypeError for what is none."""
        source, tags = stored["source"], stored["metadata"].get("tags", ())
        return cls(
            kind=stored["cell_type"],
            source=source if isinstance(source, str) else "".join(source),
            id=str(stored.get("id", "")),
            tags=tuple(tags) if isinstance(tags, list) else (),
            stored=stored,
        )

    @property
    def is_code(self) -> bool:
        """Whether it runs."""
        return self.kind == "code"

    @property
    def is_text(self) -> bool:
        """Whether it is Markdown."""
        return self.kind == "markdown"

    @property
    def is_injected(self) -> bool:
        """Whether it was put in by a run and is not the runbook's own."""
        return any(tag in INJECTED for tag in self.tags)

    @property
    def was_run(self) -> bool:
        """Whether it holds what a run left in it."""
        return bool(self.stored.get("outputs") or self.stored.get("execution_count"))

    @property
    def lines(self) -> list[str]:
        """The lines as they stand in the Markdown, without the mark of another language."""
        lines = self.source.split("\n")
        return lines if self.language in UNMARKED or not self.is_code else lines[1:]

    @cached_property
    def markdown(self) -> Markdown:
        """The text in its parts; without any for a cell of code."""
        if self.is_text:
            return read_markdown(self.source.split("\n"), first=self.line or 1)
        return Markdown(lines=(), first=self.line, blocks=(), items=())

    @cached_property
    def headings(self) -> list[Heading]:
        """The headings that stand in it."""
        return read_headings(self.source, first=self.line or 1) if self.is_text else []

    @cached_property
    def tree(self) -> ast.Module | SyntaxError:
        """What Python reads in the cell; SyntaxError where it reads nothing."""
        try:
            return _parse(self.source)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError) as error:
            return SyntaxError(str(error))

    @property
    def meaning(self) -> str:
        """What the cell does, without comments, quotes and line breaks; its text if no Python."""
        return ast.dump(self.tree) if isinstance(self.tree, ast.Module) else self.source.strip()

    def segment(self, node: ast.AST) -> str:
        """Return the text of a part of the cell."""
        if "\r" in self.source or "\f" in self.source:
            return ast.get_source_segment(self.source, node) or ""
        # Python counts columns in bytes; its own search for lines goes through every character.
        place: Any = node
        lines = self._encoded[place.lineno - 1 : place.end_lineno]
        lines[-1] = lines[-1][: place.end_col_offset]
        lines[0] = lines[0][place.col_offset :]
        return b"\n".join(lines).decode("utf-8", "surrogatepass")

    @cached_property
    def _encoded(self) -> list[bytes]:
        return [line.encode("utf-8", "surrogatepass") for line in self.source.split("\n")]

    @property
    def statements(self) -> list[ast.stmt]:
        """The statements of the cell; none where it is no Python."""
        return self.tree.body if isinstance(self.tree, ast.Module) else []


def _parse(source: str) -> ast.Module:
    """Parse a cell, also while other threads parse.

    Python 3.11 keeps the depth of the tree it builds in one place for all threads, and raises
    SystemError in a thread that finds another's: https://github.com/python/cpython/issues/106905
    """
    for _ in range(_TRIES):
        with suppress(SystemError):
            return ast.parse(source)
    return ast.parse(source)


def cut_cells(lines: Sequence[str], *, first: int) -> Iterator[Cell]:
    """Cut the Markdown below a front matter into cells; ``first`` is the number of its first line.

    Two blank lines, and each fence at the left edge that Jupyter can run, begin another cell.
    """
    at = 1 if lines and not lines[0].strip() else 0
    while at < len(lines):
        begun = _begin(lines[at])
        if region := _region(lines[at]):
            kind = "raw" if region["name"] == "raw" else "markdown"
            end = _first(re.compile(rf"^<!--\s*#end{region['name']}\s*-->\s*$"), lines, at + 1)
            ends = end < len(lines)
            cell = Cell(kind=kind, source="\n".join(lines[at + 1 : end]), line=first + at + 1)
            following = end + ends
        elif begun:
            end = _code_end(begun, lines, at + 1)
            cell, following = _code(begun, lines, at, end, first), end + (end < len(lines))
            ends = cell.is_code and end < len(lines)
        else:
            end, following, ends = _text_end(lines, at)
            cell = Cell(kind="markdown", source="\n".join(lines[at:end]), line=first + at)
        yield cell
        at = _begin_of_next(lines, following, explicit=ends)


def _code(begun: re.Match[str], lines: Sequence[str], at: int, end: int, first: int) -> Cell:
    if ".noeval" in begun["rest"]:
        return Cell(kind="markdown", source="\n".join(lines[at : end + 1]), line=first + at)
    tags = _TAGS.search(begun["rest"])
    language = begun["language"]
    inside = list(lines[at + 1 : end])
    return Cell(
        kind="code",
        source="\n".join(inside) if language in UNMARKED else f"%%{language}\n" + "\n".join(inside),
        tags=tuple(_TAG.findall(tags["tags"])) if tags else (),
        line=first + at + 1,
        language=language,
    )


def _code_end(begun: re.Match[str], lines: Sequence[str], at: int) -> int:
    """Return the place of the fence that closes a cell; after the last line where none does."""
    # What is not to run is read as the notebook's own language.
    quotes = Quotes(PYTHON[0] if ".noeval" in begun["rest"] else begun["language"])
    fence = f"```{begun['more']}"
    for place in range(at, len(lines)):
        in_string = quotes.are_open
        quotes.read(lines[place])
        if not in_string and lines[place].startswith(fence):
            return place
    return len(lines)


def _text_end(lines: Sequence[str], begin: int) -> tuple[int, int, bool]:
    """Return where a text ends, where what follows begins, and whether blank lines part them."""
    blank, indented = 0, False
    fence = re.compile(r"```\s*$")  # what closes a block; a block with a language changes it
    closing: re.Pattern[str] | None = None  # of the block of code that the line stands in
    for at in range(begin, len(lines)):
        line = lines[at]
        if closing:
            closing = None if closing.match(line) else closing
            continue
        is_blank = not line.strip()
        if blank and line.startswith("    ") and not is_blank:
            indented, blank = True, 0
            continue
        indented = indented and (is_blank or line.startswith("    "))
        if indented:
            continue
        begun = _begin(line)
        runs = begun is not None and ".noeval" not in begun["rest"]
        if runs or _region(line):
            return (at - 1 if at - begin > 1 and blank else at), at, False
        if line.startswith("```"):
            if blank >= _SPLITTING and not begun and not line.startswith("```{"):
                return at - _SPLITTING, at, True
            fence = re.compile(f"```{begun['more']}") if begun else fence
            closing, blank = fence, 0
        elif is_blank:
            blank += 1
        elif blank >= _SPLITTING:
            return at - _SPLITTING, at, True
        else:
            blank = 0
    return len(lines), len(lines), False


def _begin_of_next(lines: Sequence[str], at: int, *, explicit: bool) -> int:
    """Step over the blank lines that only part two cells."""
    blank = [not line.strip() for line in lines[at : at + 3]]
    if blank[:2] == [True, False]:
        return at + 1
    if explicit and blank == [True, True, False]:
        return at + 2
    return at


def _begin(line: str) -> re.Match[str] | None:
    return _START.match(line) if line.startswith("```") else None


def _region(line: str) -> re.Match[str] | None:
    return _REGION.match(line) if line.startswith("<!--") else None


def _first(pattern: re.Pattern[str], lines: Sequence[str], at: int) -> int:
    """Return the place of the first line that fits; after the last where none does."""
    places = (place for place in range(at, len(lines)) if pattern.match(lines[place]))
    return next(places, len(lines))
