"""Where each cell of a notebook stands: which step it is, and under which heading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.steps import read_steps


@dataclass(frozen=True, kw_only=True)
class CellPlace:
    """The place of one cell: the number of its step, 0 if it is none, and a title for people."""

    number: int
    title: str


def places(cells: Sequence[Mapping[str, Any]]) -> list[CellPlace]:
    """Return the place of each cell; a cell that is no step is named by the heading above it."""
    read = [Cell.of(cell) for cell in cells]
    own = [(place, cell) for place, cell in enumerate(read) if not cell.is_injected]
    steps, _ = read_steps(cell for _, cell in own)
    numbered = {own[step.cell][0]: (count, step.title) for count, step in enumerate(steps, 1)}
    found: list[CellPlace] = []
    above = "the beginning"
    for place, cell in enumerate(read):
        if cell.markdown.headings:
            above = cell.markdown.headings[-1].text
        number, title = numbered.get(place, (0, above))
        found.append(CellPlace(number=number, title=title))
    return found
