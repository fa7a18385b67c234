"""The steps of a runbook with its parameters filled in, ready to copy; nothing is executed."""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbook_nb.runbook.runbook import Runbook, is_injected
from runbook_nb.runbook.steps import Step, headings, read_steps, source_of
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
    notebook = json.loads(runbook.path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if not is_injected(cell)]
    filled = [_filled(cell, values) for cell in cells]
    steps, _ = read_steps(filled)
    return [
        Shown(
            number=number,
            step=step,
            prose=_prose_above(cells, step.cell),
            source=source_of(filled[step.cell]),
        )
        for number, step in enumerate(steps, start=1)
    ]


def imports(runbook: Runbook) -> str:
    """Return the imports that the calls of a runbook need."""
    notebook = json.loads(runbook.path.read_text(encoding="utf-8"))
    lines: list[str] = []
    for cell in notebook["cells"]:
        source = source_of(cell)
        if cell["cell_type"] != "code" or "import " not in source:
            continue
        found = [node for node in _parsed(source) if isinstance(node, ast.Import | ast.ImportFrom)]
        lines += [segment for node in found if (segment := ast.get_source_segment(source, node))]
    return "\n".join(dict.fromkeys(lines))


def with_values(source: str, values: Mapping[str, Json]) -> str:
    """Return code with the names of parameters replaced by their values, all else as written."""
    names = [
        node
        for statement in _parsed(source)
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


def _filled(cell: Mapping[str, Any], values: Mapping[str, Json]) -> dict[str, Any]:
    source = source_of(cell)
    return {
        **cell,
        "source": with_values(source, values) if cell["cell_type"] == "code" else source,
    }


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except SyntaxError:
        return []


def _prose_above(cells: list[dict[str, Any]], place: int) -> str:
    """Return the words between the nearest heading and a cell, if they stand right above it."""
    above = cells[place - 1] if place else None
    if above is None or above["cell_type"] != "markdown":
        return ""
    source = source_of(above)
    if not headings(source):
        return source.strip()
    lines = source.splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("#"))
    return "\n".join(lines[last + 1 :]).strip()
