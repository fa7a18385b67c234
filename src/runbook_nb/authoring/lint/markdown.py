"""The Markdown of a pair, cut into cells, fenced blocks and headings, each with its line.

A fenced block at the left edge whose language Jupyter can run becomes a cell that runs, also
```` ```bash ```` and ```` ```sql ````; every other block stays text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

# Marks what a draft leaves to its author.
FILL_IN: Final = "Fill in:"
# What the pairing turns into `%%language` cells, of its much longer list.
_LANGUAGES: Final = """
python python2 python3 bash sh sql js javascript typescript perl ruby r html latex markdown svg
script powershell go rust java lua julia scala groovy c++ c# f# cs fs q pypy cython tcl haskell
ocaml clojure scheme octave matlab stata sas spark sage xonsh csharp fsharp sos
"""
RUNNABLE: Final = frozenset(_LANGUAGES.split())
_FENCE = re.compile(r"^(?P<indent>\s*)(?P<mark>`{3,}|~{3,})\s*(?P<language>[\w+#.-]*)(?P<rest>.*)$")
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")
_TAGS = re.compile(r"\btags=\[(?P<tags>[^\]]*)\]")
_INDENTED = re.compile(r"^(?: {4}|\t)\s*\S")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A run of lines: ``text``, ``fence`` or ``cell``; ``line`` is the first inside of it."""

    kind: str
    line: int
    lines: tuple[str, ...]
    language: str = ""
    tags: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading with its line, the line where the next one stands, and where it belongs."""

    level: int
    text: str
    line: int
    end: int


def blocks(lines: Sequence[str], start: int) -> Iterator[Block]:
    """Cut lines into text, fences and cells; the first of them has the number ``start``."""
    text: list[str] = []
    at = 0
    while at < len(lines):
        found = _FENCE.match(lines[at])
        if not found or (found["mark"][0] == "`" and "`" in found["rest"]):
            text.append(lines[at])
            at += 1
            continue
        if text:
            yield Block(kind="text", line=start + at - len(text), lines=tuple(text))
            text = []
        end = _closing(lines, at + 1, found["mark"])
        yield _fenced(found, start + at + 1, tuple(lines[at + 1 : end]))
        at = end + 1
    if text:
        yield Block(kind="text", line=start + len(lines) - len(text), lines=tuple(text))


def headings(found: Sequence[Block], end: int) -> list[Heading]:
    """Return the headings of all text blocks; ``end`` is the line after the last."""
    places = [
        (match, block.line + offset)
        for block in found
        if block.kind == "text"
        for offset, line in enumerate(block.lines)
        if (match := _HEADING.match(line))
    ]
    ends = [line for _, line in places[1:]] + [end]
    return [
        Heading(level=len(match[1]), text=match[2], line=line, end=until)
        for (match, line), until in zip(places, ends, strict=True)
    ]


def indented(block: Block) -> Iterator[tuple[int, str]]:
    """Return the lines of indented code in a text block, not those that continue a list."""
    in_list = code = False
    blank = True
    for offset, line in enumerate(block.lines):
        if not line.strip():
            blank = True
            continue
        if _ITEM.match(line):
            in_list, code = True, False
        elif not line.startswith((" ", "\t")):
            in_list = code = False
        elif _INDENTED.match(line) and not in_list and (blank or code):
            code = True
            yield block.line + offset, line.strip()
        blank = False


def _closing(lines: Sequence[str], at: int, mark: str) -> int:
    closing = re.compile(rf"^\s*{re.escape(mark[0])}{{{len(mark)},}}\s*$")
    while at < len(lines) and not closing.match(lines[at]):
        at += 1
    return at


def _fenced(found: re.Match[str], line: int, lines: tuple[str, ...]) -> Block:
    language = found["language"].lower()
    runs = language in RUNNABLE and not found["indent"] and found["mark"].startswith("`")
    tags = _TAGS.search(found["rest"])
    return Block(
        kind="cell" if runs and ".noeval" not in found["rest"] else "fence",
        line=line,
        lines=lines,
        language=language,
        tags=tuple(re.findall(r"[\"']([^\"']+)[\"']", tags["tags"])) if tags else (),
    )


def blank(line: str) -> str:
    """Return what a line leaves to be filled in, without the code or the table around it."""
    said = re.split(r"\"[,)]|\s\|", line.partition(FILL_IN)[2])[0]
    return said.strip(" '\",*|")
