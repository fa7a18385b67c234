"""AsciiDoc as Markdown: headings, blocks of code, admonitions and lists."""

import re
from collections.abc import Iterator
from typing import Final

_HEADING: Final = re.compile(r"^(={1,6})\s+(\S.*)$")
_SOURCE: Final = re.compile(r"^\[(?:source|listing|literal)?(?:%\w+)?,?\s*(\w*)[^\]]*\]$")
_FENCE: Final = re.compile(r"^(-{4,}|\.{4,}|`{3,})(\w*)$")
_OTHER_FENCE: Final = re.compile(r"^(={4,}|\*{4,}|_{4,}|\+{4,}|--|\|===)$")
_ATTRIBUTES: Final = re.compile(r"^\[[^\]]*\]$")
_LIST: Final = re.compile(r"^(\s*)([*.-]+)\s+(\S.*)$")


def from_asciidoc(text: str) -> list[str]:
    """Return the lines of a document as Markdown; marks that only lay out are left out."""
    return list(_lines(text.split("\n")))


def _lines(lines: list[str]) -> Iterator[str]:
    language, ending = "", ""
    for line in lines:
        if ending:
            ended = line.rstrip() == ending
            yield "```" if ended else line
            ending = "" if ended else ending
        elif found := _FENCE.match(line.rstrip()):
            ending = found[1]
            yield f"```{found[2] or language}"
            language = ""
        elif found := _SOURCE.match(line.strip()):
            language = found[1]
        elif _OTHER_FENCE.match(line.rstrip()) or _ATTRIBUTES.match(line.strip()):
            yield ""
        else:
            yield _line(line)
    if ending:
        yield "```"


def _line(line: str) -> str:
    if found := _HEADING.match(line):
        return f"{'#' * len(found[1])} {found[2]}"
    if line.startswith(".") and re.match(r"^\.\w", line):
        return f"**{line[1:]}**"
    if found := _LIST.match(line):
        depth, mark = len(found[2]) - 1, "1." if found[2][0] == "." else "-"
        return f"{'   ' * depth}{mark} {found[3]}"
    return re.sub(r"(?<![\w`])\+([^+\s][^+]*)\+(?!\w)", r"`\1`", line)
