"""Rules about the two cells at the top: parameters, and the opening of the incident."""

import ast
from collections.abc import Iterator
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near
from runbook_nb.runbook.parameters import Parameter

GIVEN: Final = ("incident_id", "environment")
_KINDS: Final = {"int": int, "float": (int, float), "str": str, "bool": bool}
_OURS: Final = "runbook_nb."


@rule(
    "parameters-cell",
    reason="A run puts its values after this cell; without the tag they are overwritten by it.",
    fix='Begin with one cell ```python tags=["parameters"]` that declares incident_id and '
    "environment, each as `name: type = default  # help`.",
)
def parameters_cell(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Declare the parameters in the first code cell, and in no other."""
    tagged = [cell for cell in page.cells if "parameters" in cell.tags]
    if not page.cells or page.cells[0] not in tagged:
        line = page.cells[0].line if page.cells else page.body_line
        yield Flaw(line=line, message="The first code cell is not tagged `parameters`.")
    for cell in tagged[1:]:
        yield Flaw(line=cell.line, message="A second cell is tagged `parameters`.")
    if page.parameters_problem and tagged:
        yield Flaw(line=tagged[0].line, message=page.parameters_problem)
    elif tagged:
        declared = {parameter.name for parameter in page.parameters}
        for name in GIVEN:
            if name not in declared:
                yield Flaw(line=tagged[0].line, message=f"`{name}` is not declared.")


@rule(
    "parameters",
    reason="A wrong value must be refused before anything runs, in words.",
    fix="Declare int, float, str or bool with a comment; give each number `min` and `max` in the "
    "front matter's `parameters`, around its default.",
)
def parameters(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Give parameters a type, help, and for numbers a range that holds the default."""
    cell = next((cell for cell in page.cells if "parameters" in cell.tags), None)
    for parameter in page.parameters if cell else ():
        line = _line_of(page, parameter.name)
        for message in _wrong(parameter):
            yield Flaw(line=line, message=f"`{parameter.name}` {message}.")
    ranges = page.front.get("parameters")
    declared = [parameter.name for parameter in page.parameters]
    for name in ranges if isinstance(ranges, dict) and declared else ():
        if name not in declared:
            message = f"`parameters` describes {name!r}, which is not declared."
            yield Flaw(line=page.front_line(str(name)), message=f"{message} {near(name, declared)}")


@rule(
    "opening",
    reason="The record holds what the opening passes; what it leaves out was never recorded.",
    fix="Import the verbs and the systems of your pack, then `incident = Incident.open("
    'incident_id, runbook="<name>", environment=environment, parameters={…all others…})`.',
)
def opening(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Import and open the incident as this runbook in the second code cell, nothing else."""
    if len(page.cells) < len(GIVEN):
        yield Flaw(line=page.body_line, message="There is no second code cell.")
        return
    cell = page.cells[1]
    body = cell.statements
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    for node in imports:
        known = f"{node.module}.".startswith(_OURS) or node.module in shelf.known.packages
        ours = known and not node.level
        if not ours or any(name.name == "*" for name in node.names):
            message = f"`{ast.unparse(node)}` is not allowed here."
            yield Flaw(line=cell.line + node.lineno - 1, message=message)
    rest = [node for node in body if node not in imports]
    call = _opened(rest)
    if call is None:
        yield Flaw(line=cell.line, message="This cell does not only import and open the incident.")
        return
    for message in _differences(call, page):
        yield Flaw(line=cell.line + call.lineno - 1, message=message)


def _wrong(parameter: Parameter) -> Iterator[str]:
    kind = _KINDS.get(parameter.type)
    if kind is None:
        yield f"is a {parameter.type}; a run can only give {', '.join(_KINDS)}"
        return
    fits = isinstance(parameter.default, kind)  # type: ignore[arg-type]
    if not fits or (isinstance(parameter.default, bool) and parameter.type != "bool"):
        yield f"is a {parameter.type}, its default {parameter.default!r} is not"
        return
    if not parameter.help:
        yield "has no comment that says what it is"
    if parameter.type in ("int", "float"):
        low, high = parameter.low, parameter.high
        if not isinstance(low, int | float) or not isinstance(high, int | float):
            yield "is a number without `min` and `max`"
        elif not low <= parameter.default <= high:
            yield f"is {parameter.default} by default, outside {low:g} to {high:g}"
    elif parameter.one_of and parameter.default not in parameter.one_of:
        known = ", ".join(map(str, parameter.one_of))
        yield f"is {parameter.default!r} by default, none of {known}"


def _line_of(page: RunbookPage, name: str) -> int:
    cell = next(cell for cell in page.cells if "parameters" in cell.tags)
    for number, line in enumerate(cell.lines, start=cell.line):
        if line.startswith((f"{name}:", f"{name} :")):
            return number
    return cell.line


def _opened(rest: list[ast.stmt]) -> ast.Call | None:
    """Return the call of `incident = Incident.open(…)` if it is all there is."""
    if len(rest) != 1 or not isinstance(rest[0], ast.Assign):
        return None
    (target, *others), value = rest[0].targets, rest[0].value
    named = isinstance(target, ast.Name) and target.id == "incident" and not others
    if named and isinstance(value, ast.Call) and ast.unparse(value.func) == "Incident.open":
        return value
    return None


def _differences(call: ast.Call, page: RunbookPage) -> Iterator[str]:
    said = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if [ast.unparse(argument) for argument in call.args] != ["incident_id"]:
        yield "The first argument is not `incident_id`."
    if said.get("runbook") != repr(page.name):
        yield f"It opens {said.get('runbook')}, and this runbook is {page.name!r}."
    if said.get("environment") != "environment":
        yield "`environment=environment` is missing."
    passed = next(
        (word.value for word in call.keywords if word.arg == "parameters"), ast.Dict([], [])
    )
    pairs = (
        {
            ast.unparse(key): ast.unparse(value)
            for key, value in zip(passed.keys, passed.values, strict=True)
            if key
        }
        if isinstance(passed, ast.Dict)
        else {}
    )
    for parameter in page.parameters:
        if parameter.name not in GIVEN and pairs.get(repr(parameter.name)) != parameter.name:
            yield f"The parameter `{parameter.name}` is not passed on under its name."
    if set(said) - {"runbook", "environment", "parameters"}:
        yield "It passes more than runbook, environment and parameters."
