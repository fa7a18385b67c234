"""The steps of a runbook with its parameters filled in, ready to copy; nothing is executed."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import Step, read_steps
from runbook_nb.text.values import Json


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One step, the prose above it, and its cell's source with the parameters filled in."""

    number: int
    step: Step
    prose: str
    source: str

    def facts(self) -> dict[str, Any]:
        """Return the step as JSON."""
        return {
            "number": self.number,
            "verb": self.step.verb,
            "title": self.step.title,
            "section": self.step.section,
            "heading": self.step.heading,
            "option": self.step.option,
            "prose": self.prose,
            "call": self.step.call,
            "words": dict(self.step.words),
            "source": self.source,
        }


def shown_steps(runbook: Runbook, values: Mapping[str, Json]) -> list[Shown]:
    """Return the steps of a runbook with these parameters, in order."""
    cells = Document.read(runbook.path).own_cells
    filled = [_filled(cell, values) for cell in cells]
    steps, _ = read_steps(filled)
    return [
        Shown(
            number=number,
            step=step,
            prose=_prose_above(cells, step.cell),
            source=filled[step.cell].source,
        )
        for number, step in enumerate(steps, start=1)
    ]


def imports(runbook: Runbook) -> str:
    """Return the imports that the calls of a runbook need."""
    lines: list[str] = []
    for cell in Document.read(runbook.path).cells:
        if not cell.is_code or "import " not in cell.source:
            continue
        found = [node for node in cell.statements if isinstance(node, ast.Import | ast.ImportFrom)]
        named = (ast.get_source_segment(cell.source, node) for node in found)
        lines += filter(None, named)
    return "\n".join(dict.fromkeys(lines))


def with_values(source: str, values: Mapping[str, Json]) -> str:
    """Return code with the names of parameters replaced by their values, all else as written."""
    names = [
        node
        for statement in Cell(kind="code", source=source).statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in values
    ]
    # Python counts columns in bytes.
    lines = [line.encode() for line in source.split("\n")]
    for node in sorted(names, key=lambda name: (name.lineno, name.col_offset), reverse=True):
        line = lines[node.lineno - 1]
        end = node.end_col_offset or len(line)
        said = repr(values[node.id]).encode()
        lines[node.lineno - 1] = line[: node.col_offset] + said + line[end:]
    return b"\n".join(lines).decode()


def _filled(cell: Cell, values: Mapping[str, Json]) -> Cell:
    return replace(cell, source=with_values(cell.source, values)) if cell.is_code else cell


def _prose_above(cells: Sequence[Cell], place: int) -> str:
    """Return the words between the nearest heading and a cell, if they stand right above it."""
    above = cells[place - 1] if place else None
    if above is None or not above.is_text:
        return ""
    below = above.markdown.headings[-1].after - 1 if above.markdown.headings else 0
    return "\n".join(above.source.split("\n")[below:]).strip()
