"""Gaps: what a draft does not have yet, each with its line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from runbook_nb.authoring.lint import Severity, lint
from runbook_nb.runbook.blanks import FILL_IN, blank
from runbook_nb.runbook.document import Document

_BEFORE = re.compile(r"^(?:Check \d+: |Option [A-Z]: |Source: )(?=.)")
_LEVELS: Final = (3, 4)  # of the headings that a draft takes from its source
_HEADER_ROW = re.compile(r"^\| \*\*")
# `runbook fmt` keeps the pair equal; the first change of the author would break it at once.
_LATER: Final = ("pair",)


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that the author must fill in or look at: the line in the draft, what, and how.

    ``kind`` is ``fill-in``, ``guess``, ``left-over`` or the name of the rule that is not met.
    """

    line: int
    kind: str
    what: str
    fix: str = ""


def gaps(path: Path, *, folder: Path, now: datetime, noticed: Iterable[Gap] = ()) -> list[Gap]:
    """Return the gaps of a draft: its marks, what importing noticed, and the rules not met.

    ``folder`` holds what runbooks are compared with. Warnings are left to `runbook lint`.
    """
    marked = list(_marked(path.read_text(encoding="utf-8")))
    lines = {gap.line for gap in marked}
    unmet = (
        Gap(line=found.line, kind=found.rule, what=found.message, fix=found.fix)
        for found in lint([path], folder=folder, now=now)
        if found.severity is Severity.ERROR
        and found.rule not in _LATER
        and found.path == path
        and found.line not in lines
        and FILL_IN not in found.message
    )
    return sorted((*marked, *noticed, *unmet), key=lambda gap: gap.line)


def heading_lines(text: str) -> dict[str, int]:
    """Return the line of each heading by its words, without what a draft puts before them."""
    cells = Document.parse(text, Path("draft.md")).cells
    found = (heading for cell in cells for heading in cell.headings)
    return {_BEFORE.sub("", each.text): each.line for each in found if each.level in _LEVELS}


def _marked(text: str) -> Iterator[Gap]:
    for number, line in enumerate(text.split("\n"), start=1):
        if FILL_IN in line and not _HEADER_ROW.match(line):
            key = re.match(r"^[\s\-#*]*([\w ]+?):", line.partition(FILL_IN)[0])
            said = f"{key[1].lower()}: " if key else ""
            yield Gap(line=number, kind="fill-in", what=said + blank(line))
