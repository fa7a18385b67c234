"""A foreign runbook as blocks: text, headings and code, each with its line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runbook_nb.runbook.markdown import CodeBlock, Heading, HtmlBlock, read_markdown

_INDENT = re.compile(r"^ *")
_MARK_ONLY = re.compile(r"^[\s>]*(?:[-*+]|\d{1,9}[.)])?\s*$")
# A comment that ends and holds nothing that looks like more than words stays one.
_COMMENT = re.compile(
    r"^\s*<!--(?!\s*#)(?:(?!-->|^\s*(?:```|~~~)).)*-->\s*$", re.DOTALL | re.MULTILINE
)
_SWALLOWING = re.compile(r"^\s*<(?:!|\?|/?(?:script|pre|style|textarea)\b)", re.IGNORECASE)
_FENCED = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)


class BlockKind(StrEnum):
    """What a block is."""

    TEXT = "text"
    HEADING = "heading"
    CODE = "code"


@dataclass(frozen=True, kw_only=True)
class SourceBlock:
    """A run of lines; ``line`` counts from 1, ``language`` is all that stands behind a fence."""

    kind: BlockKind
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


def read_blocks(lines: Sequence[str], *, first: int = 1) -> list[SourceBlock]:
    """Cut Markdown into blocks; code in lists and quotes is taken out of them.

    ``first`` is the number of the first line in its file.
    """
    found: list[SourceBlock] = []
    at = first
    for part in read_markdown(lines, first=first).blocks:
        inside = _of(part)
        if inside and part.line >= at:
            found.extend(_text(lines[at - first : part.line - first], at))
            found.extend(inside)
            at = part.after
    found.extend(_text(lines[at - first :], at))
    return found


def _of(part: Heading | CodeBlock | HtmlBlock) -> list[SourceBlock]:
    """Return the blocks of a heading, of code, or of HTML that is shown as code; else none."""
    if isinstance(part, Heading):
        title = tuple(part.text.split("\n"))
        return [SourceBlock(kind=BlockKind.HEADING, line=part.line, lines=title, level=part.level)]
    if isinstance(part, HtmlBlock):
        return [_code(part.text, "html", part.line)] if _is_code(part.text) else []
    text = "\n".join(part.lines)
    if not part.fenced and _FENCED.search(text):
        # Some tools indent what stands in a tab or a note; to all others it looks like code.
        return read_blocks([*part.lines, ""], first=part.line)
    return [_code(text, part.language, part.line)]


def _code(text: str, language: str, line: int) -> SourceBlock:
    lines = tuple(text.rstrip("\n").split("\n"))
    return SourceBlock(kind=BlockKind.CODE, line=line, lines=lines, language=language)


def _is_code(html: str) -> bool:
    """Tell whether HTML would hide or swallow what follows, so that it is shown and not used."""
    if _COMMENT.match(html):
        return False
    return bool(_SWALLOWING.match(html) or _FENCED.search(html) or "<!--" in html)


def _text(lines: Sequence[str], line: int) -> Iterator[SourceBlock]:
    kept = [(line + at, text) for at, text in enumerate(lines)]
    while kept and _MARK_ONLY.match(kept[0][1]):
        kept.pop(0)
    while kept and _MARK_ONLY.match(kept[-1][1]):
        kept.pop()
    if kept:
        texts = tuple(_dedented([text.expandtabs(4) for _, text in kept]))
        yield SourceBlock(kind=BlockKind.TEXT, line=kept[0][0], lines=texts)


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
