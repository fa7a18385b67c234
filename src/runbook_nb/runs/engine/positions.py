"""Where each cell of a notebook stands: which step it is, and under which heading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook_nb.runbook.runbook import is_injected
from runbook_nb.runbook.steps import headings, read_steps, source_of


@dataclass(frozen=True, kw_only=True)
class Place:
    """The place of one cell: the number of its step, 0 if it is none, and a title for people."""

    number: int
    title: str


def places(cells: Sequence[Mapping[str, Any]]) -> list[Place]:
    """Return the place of each cell; a cell that is no step is named by the heading above it."""
    own = [cell for cell in cells if not is_injected(cell)]
    steps, _ = read_steps(own)
    numbered = {id(own[step.cell]): (count, step.title) for count, step in enumerate(steps, 1)}
    found: list[Place] = []
    above = "the beginning"
    for cell in cells:
        if cell["cell_type"] == "markdown" and (seen := headings(source_of(cell))):
            above = seen[-1][1]
        number, title = numbered.get(id(cell), (0, above))
        found.append(Place(number=number, title=title))
    return found
