"""What a run may execute: parameters, imports, the opening of the incident, and single verbs.

A runbook's cells are one verb with literals each. Anything else in its text (a block for a shell, a
magic, code of its own) would be done without a yes and without a line on the timeline, so a
notebook that holds it is refused whole, before anything of it runs.
"""

import ast
import builtins
import sys
from collections.abc import Iterator, Sequence
from typing import Final

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.cells import PYTHON, Cell
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.steps import verb_call

# Of these the arguments of a verb are made: values, names of the pack, and calls that wait.
_WORDS: Final = (
    ast.Call,
    ast.keyword,
    ast.Name,
    ast.Attribute,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.UnaryOp,
    ast.USub,
    ast.expr_context,
)
_OPENING: Final = "Incident.open"
_JUDGING: Final = ("check", "act", "verify")


def demand_verbs_only(document: Document) -> None:
    """Raise RunbookFormatError, with cell and fix, where a notebook holds more than verbs.

    So it does where a check or an action still has a blank of its author.
    """
    _demand_filled_in(document)
    found = next(_others(document.own_cells), None)
    if found is None:
        return
    number, cell = found
    where = f"line {cell.line}" if cell.line else f"cell {number}"
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    message = (
        f"{document.path}, {where}: a run executes verbs only, and this cell is none: "
        f"{first.strip()[:80]!r}. Write `incident.<verb>(…)`, put code into the pack, and mark "
        "commands for people as ```text; then `runbook fmt`."
    )
    raise RunbookFormatError(message)


def _demand_filled_in(document: Document) -> None:
    """Raise RunbookFormatError for a step that was begun, or guessed, and not yet filled in."""
    for number, cell in enumerate(document.own_cells, start=1):
        blank = _blank(cell)
        if blank:
            where = f"line {cell.line}" if cell.line else f"cell {number}"
            message = (
                f"{document.path}, {where}: this step waits for its author: {blank[:80]!r}. Write "
                "what is right in its place, or take the cell out; then `runbook fmt`."
            )
            raise RunbookFormatError(message)


def _blank(cell: Cell) -> str:
    """Return what a check or an action leaves to be filled in; empty if nothing."""
    if not cell.is_code or FILL_IN not in cell.source:
        return ""
    call = verb_call(cell)
    if call is None or not isinstance(call.func, ast.Attribute) or call.func.attr not in _JUDGING:
        return ""
    said = (node.value for node in ast.walk(call) if isinstance(node, ast.Constant))
    return next((word for word in said if isinstance(word, str) and FILL_IN in word), "")


def opens_only(cells: Sequence[Cell]) -> bool:
    """Tell whether cells do nothing but name parameters, import packs and open the incident."""
    return all(_may_run(cell) and verb_call(cell) is None for cell in cells)


def _others(cells: Sequence[Cell]) -> Iterator[tuple[int, Cell]]:
    for number, cell in enumerate(cells, start=1):
        if cell.is_code and cell.source.strip() and not _may_run(cell):
            yield number, cell


def _may_run(cell: Cell) -> bool:
    if cell.language not in PYTHON or not isinstance(cell.tree, ast.Module):
        return False
    if (call := verb_call(cell)) is not None:
        return _is_plain(call)
    if {"parameters", "injected-parameters"} & {*cell.tags}:
        return all(_is_parameter(statement) for statement in cell.statements)
    if any(_is_opening(statement) for statement in cell.statements):
        return all(_is_import(each) or _is_name_of_plain(each) for each in cell.statements)
    return all(_is_import(statement) for statement in cell.statements)


def _is_parameter(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return value is not None and _is_plain(value) and not _calls(value)


def _is_import(statement: ast.stmt) -> bool:
    """Tell whether a statement imports a pack; what Python brings could do anything."""
    if isinstance(statement, ast.Import):
        modules = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and not statement.level:
        modules = [statement.module or ""]
    else:
        return False
    return not any(module.partition(".")[0] in sys.stdlib_module_names for module in modules)


def _is_opening(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return False
    called = ast.unparse(statement.value.func)
    inside = [*statement.value.args, *(word.value for word in statement.value.keywords)]
    return called == _OPENING and all(_is_plain(each) and not _calls(each) for each in inside)


def _is_name_of_plain(statement: ast.stmt) -> bool:
    """Tell whether a probe or an action is given a name, beside the opening."""
    return isinstance(statement, ast.Assign) and _is_plain(statement.value)


def _is_plain(expression: ast.AST) -> bool:
    """Tell whether an expression only names and calls what the pack offers."""
    return all(
        isinstance(node, _WORDS) and not _is_private(node) and not _is_of_python(node)
        for node in ast.walk(expression)
    )


def _is_private(node: ast.AST) -> bool:
    """Tell whether a name leads behind what a pack offers, as ``__class__`` does."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return str(name).startswith("_")


def _is_of_python(node: ast.AST) -> bool:
    """Tell whether a function is called that is no pack's, such as ``eval``."""
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in dir(builtins)


def _calls(expression: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) for node in ast.walk(expression))
