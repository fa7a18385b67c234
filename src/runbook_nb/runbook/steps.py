"""The steps of a notebook: one verb with literals under one heading, read without running it."""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.runbook.cells import Cell

VERBS: Final = ("check", "decide", "act", "verify", "undo", "ask", "note", "stop")
SECTIONS: Final = (
    "Symptoms",
    "Immediate Actions",
    "Diagnosis",
    "Resolution Steps",
    "Verification",
    "Post-Incident",
    "Related Runbooks",
    "Contacts",
    "Validation Log",
)
SECTION_LEVEL: Final = 2
STEP_LEVEL: Final = 3
FACE: Final = "runbook_nb"
_OPTION = re.compile(r"^Option [A-Z]\b")


def letter(option: str) -> str:
    """Return the letter of an option's heading: ``A`` of ``Option A: Restart the agent``."""
    return option.removeprefix("Option ").partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One verb under one heading.

    ``call`` is the source of its probe or action, ``words`` its literal arguments by name,
    ``source`` the text of its cell and ``cell`` the index of that in the notebook. ``option`` is
    the option it belongs to.
    """

    verb: str
    title: str
    section: str
    heading: str
    option: str
    call: str
    words: Mapping[str, Any]
    cell: int
    source: str = ""


def read_steps(cells: Iterable[Cell]) -> tuple[list[Step], list[str]]:
    """Return the steps and all headings of a notebook's cells, in order."""
    steps: list[Step] = []
    seen: list[str] = []
    section = heading = option = ""
    for index, cell in enumerate(cells):
        for found in cell.headings:
            seen.append(found.text)
            heading = found.text
            section = found.text if found.level == SECTION_LEVEL else section
            if found.level <= STEP_LEVEL:
                option = found.text if _OPTION.match(found.text) else ""
        if cell.is_code and (called := verb_call(cell)) is not None:
            steps.append(_step(called, cell, (section, heading, option), index))
    return steps, seen


def read_imports(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the modules that a notebook's cells import from, but for the engine's public face."""
    found = {
        name
        for cell in cells
        if cell.is_code and "import" in cell.source and isinstance(cell.tree, ast.Module)
        for node in ast.walk(cell.tree)
        for name in _imported(node)
    }
    return tuple(sorted(found - {FACE}))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def verb_call(cell: Cell) -> ast.Call | None:
    """Return the call of a cell that is one ``incident.<verb>(…)``."""
    if len(cell.statements) != 1 or not isinstance(cell.statements[0], ast.Expr):
        return None
    call = cell.statements[0].value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    is_verb = isinstance(owner, ast.Name) and owner.id == "incident" and call.func.attr in VERBS
    return call if is_verb else None


def _step(call: ast.Call, cell: Cell, place: tuple[str, str, str], index: int) -> Step:
    section, heading, option = place
    words = {
        argument.arg: _literal_or_source(argument.value, cell)
        for argument in call.keywords
        if argument.arg
    }
    first = _literal_or_source(call.args[0], cell) if call.args else ""
    target = cell.segment(call.args[1]) if len(call.args) > 1 else ""
    return Step(
        verb=call.func.attr if isinstance(call.func, ast.Attribute) else "",
        title=str(first or heading),
        section=section,
        heading=heading,
        option=option,
        call=" ".join(target.split()),
        words=words,
        cell=index,
        source=cell.source,
    )


def _literal_or_source(node: ast.expr, cell: Cell) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return " ".join(cell.segment(node).split())
