"""reStructuredText as Markdown: headings, code, literal blocks and admonitions."""

import re
import textwrap
from collections.abc import Iterator
from typing import Final

_RULE: Final = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}\s*$")
_CODE: Final = re.compile(
    r"^(\s*)\.\.\s+(?:code-block|code|sourcecode|highlight|prompt|parsed-literal)::\s*(\w*)"
)
_DIRECTIVE: Final = re.compile(r"^(\s*)\.\.\s+([\w-]+)::\s*(.*)$")
_OPTION: Final = re.compile(r"^\s+:[\w-]+:")
_ROLE: Final = re.compile(r":[\w:-]+:`([^`]+)`")


def from_rest(text: str) -> list[str]:
    """Return the lines of a document as Markdown."""
    return _Document(text.expandtabs(4).split("\n")).markdown()


class _Document:
    """The lines of a document, and the place that is read."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._levels: list[str] = []

    def markdown(self) -> list[str]:
        found: list[str] = []
        while self._at < len(self._lines):
            found.extend(self._next())
        return found

    def _next(self) -> Iterator[str]:
        line = self._lines[self._at]
        below = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
        after = self._lines[self._at + 2] if self._at + 2 < len(self._lines) else ""
        if _RULE.match(line) and below.strip() and _RULE.match(after):
            yield self._heading(below.strip(), f"{line[0]}{line[0]}", lines=3)
        elif (
            line.strip() and not line[0].isspace() and _RULE.match(below) and not _RULE.match(line)
        ):
            yield self._heading(line.strip(), below[0], lines=2)
        elif found := _CODE.match(line):
            self._at += 1
            yield from self._indented(len(found[1]), language=found[2])
        elif found := _DIRECTIVE.match(line):
            self._at += 1
            said = f"**{found[2]}**: {found[3]}" if found[3] else f"**{found[2]}**:"
            yield from (said, "")
            yield from self._body(len(found[1]))
        elif line.rstrip().endswith("::"):
            self._at += 1
            yield from (_words(line.rstrip()[:-1]), "")
            yield from self._indented(len(line) - len(line.lstrip()), language="")
        else:
            self._at += 1
            yield _words(line)

    def _heading(self, words: str, sign: str, *, lines: int) -> str:
        if sign not in self._levels:
            self._levels.append(sign)
        self._at += lines
        return f"{'#' * min(self._levels.index(sign) + 1, 6)} {words}"

    def _indented(self, margin: int, *, language: str) -> Iterator[str]:
        block = self._block(margin)
        if block:
            yield from (f"```{language}", *block, "```", "")

    def _body(self, margin: int) -> Iterator[str]:
        """Return what stands within a directive, read as a document of its own."""
        if block := self._block(margin):
            yield from (*_Document(block).markdown(), "")

    def _block(self, margin: int) -> list[str]:
        """Take the lines that stand further to the right, without options and blank edges."""
        taken: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and len(line) - len(line.lstrip()) <= margin:
                break
            taken.append(line)
            self._at += 1
        while taken and (not taken[0].strip() or _OPTION.match(taken[0])):
            taken.pop(0)
        while taken and not taken[-1].strip():
            taken.pop()
        return textwrap.dedent("\n".join(taken)).split("\n") if taken else []


def _words(line: str) -> str:
    return _ROLE.sub(r"`\1`", line).replace("``", "`")
