"""Markdown as blocks: text, headings and code, each with its line, wherever it is nested."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from markdown_it import MarkdownIt
from markdown_it.token import Token

_INDENT = re.compile(r"^ *")
_MARK_ONLY = re.compile(r"^[\s>]*(?:[-*+]|\d{1,9}[.)])?\s*$")
# A comment that ends and holds nothing that looks like more than words stays one.
_COMMENT = re.compile(
    r"^\s*<!--(?!\s*#)(?:(?!-->|^\s*(?:```|~~~)).)*-->\s*$", re.DOTALL | re.MULTILINE
)
_SWALLOWING = re.compile(r"^\s*<(?:!|\?|/?(?:script|pre|style|textarea)\b)", re.IGNORECASE)
_FENCED = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


class Kind(StrEnum):
    """What a block is."""

    TEXT = "text"
    HEADING = "heading"
    CODE = "code"


@dataclass(frozen=True, kw_only=True)
class Block:
    """A run of lines; ``line`` counts from 1, ``language`` is all that stands behind a fence."""

    kind: Kind
    line: int
    lines: tuple[str, ...]
    level: int = 0
    language: str = ""

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    @property
    def title(self) -> str:
        """The words of a heading in one line."""
        return " ".join(self.text.split())


def read_blocks(lines: Sequence[str], *, first: int = 1) -> list[Block]:
    """Cut Markdown into blocks; code in lists and quotes is taken out of them.

    ``first`` is the number of the first line in its file.
    """
    found: list[Block] = []
    at = 0
    for start, end, inside in _marked(lines, first):
        if start >= at:
            found.extend(_text(lines[at:start], first + at))
            found.extend(inside)
            at = end
    found.extend(_text(lines[at:], first + at))
    return found


def _marked(lines: Sequence[str], first: int) -> Iterator[tuple[int, int, list[Block]]]:
    """Return all headings and code with the range of lines that they take."""
    # Words within a line are kept as they are; not reading them saves most of the time.
    reader = MarkdownIt("commonmark").enable("table").disable("inline")
    tokens = reader.parse("\n".join(lines))
    for place, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "heading_open" and token.level == 0:
            title = tuple(tokens[place + 1].content.split("\n"))
            level = int(token.tag[1])
            block = Block(kind=Kind.HEADING, line=first + start, lines=title, level=level)
            yield start, end, [block]
        elif token.type == "code_block" and _FENCED.search(token.content):
            # Some tools indent what stands in a tab or a note; to all others it looks like code.
            yield start, end, read_blocks(token.content.split("\n"), first=first + start)
        elif token.type in ("fence", "code_block") or (
            token.type == "html_block" and token.level == 0 and _is_code(token.content)
        ):
            yield start, end, [_code(token, first + start)]


def _code(token: Token, line: int) -> Block:
    lines = token.content.rstrip("\n").split("\n")
    language = "html" if token.type == "html_block" else " ".join(token.info.split())
    return Block(kind=Kind.CODE, line=line, lines=tuple(lines), language=language)


def _is_code(html: str) -> bool:
    """Tell whether HTML would hide or swallow what follows, so that it is shown and not used."""
    if _COMMENT.match(html):
        return False
    return bool(_SWALLOWING.match(html) or _FENCED.search(html) or "<!--" in html)


def _text(lines: Sequence[str], line: int) -> Iterator[Block]:
    kept = [(line + at, text) for at, text in enumerate(lines)]
    while kept and _MARK_ONLY.match(kept[0][1]):
        kept.pop(0)
    while kept and _MARK_ONLY.match(kept[-1][1]):
        kept.pop()
    if kept:
        texts = tuple(_dedented([text.expandtabs(4) for _, text in kept]))
        yield Block(kind=Kind.TEXT, line=kept[0][0], lines=texts)


def _dedented(lines: Sequence[str]) -> Iterator[str]:
    """Move what continued a list to the left edge, where it would else become code."""
    margin = _indent(lines[0])
    for line in lines:
        if line.strip():
            margin = min(margin, _indent(line))
        yield line[margin:].rstrip()


def _indent(line: str) -> int:
    found = _INDENT.match(line)
    return found.end() if found else 0
