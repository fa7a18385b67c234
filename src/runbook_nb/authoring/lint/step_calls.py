"""What a step would call: its probe or actions, made of what the cell says and not run."""

import ast
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.authoring.lint.call_registry import Factory, misfit
from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import Placed, RunbookPage
from runbook_nb.errors import near
from runbook_nb.probes.calls import Action, ActionFactory, Probe, ProbeFactory
from runbook_nb.runbook.packs import problems_of
from runbook_nb.text.durations import seconds

DURATIONS: Final = ("hours", "minutes", "seconds")
# Joins several actions into one; it is no system's.
COMBINE: Final = "combine"
_KINDS: Final = {"check": ProbeFactory, "act": ActionFactory}


@dataclass(frozen=True, kw_only=True)
class StepCall:
    """One probe or action of a step: ``made`` where it could be, else ``problems`` say why not."""

    line: int
    made: Probe | Action | None = None
    problems: tuple[str, ...] = ()


def called(placed: Placed, page: RunbookPage, shelf: Shelf) -> list[StepCall]:
    """Return what a check reads or an action does; several for actions done together."""
    node = placed.call.args[1] if len(placed.call.args) > 1 else None
    if node is None:
        return []
    base = placed.line - placed.call.lineno
    return [_called(part, placed, page, shelf, base + part.lineno) for part in _parts(node, page)]


def is_duration(node: ast.expr) -> bool:
    """Tell whether an argument is a duration such as ``minutes(10)``."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in DURATIONS


def _parts(node: ast.expr, page: RunbookPage) -> list[ast.expr]:
    joined = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and page.imported.get(node.func.id, ("", ""))[1] == COMBINE
    )
    return list(node.args) if joined and isinstance(node, ast.Call) else [node]


def _called(node: ast.expr, placed: Placed, page: RunbookPage, shelf: Shelf, line: int) -> StepCall:
    factory, problem = _factory(node, placed.step.verb, page, shelf)
    if factory is None or not isinstance(node, ast.Call):
        return StepCall(line=line, problems=(problem,))
    positional, named = _arguments(node, page)
    said = ast.unparse(node)
    try:
        made = factory(*positional, **named)
    except TypeError as error:
        return StepCall(line=line, problems=(f"`{said}` does not fit: {error}.",))
    problems = [
        f"`{name}` of `{said}` takes {wanted}."
        for name, value in named.items()
        if value is not None and (wanted := misfit(factory, name, value))
    ]
    return StepCall(line=line, made=made, problems=tuple(problems))


def _factory(
    node: ast.expr, verb: str, page: RunbookPage, shelf: Shelf
) -> tuple[Factory | None, str]:
    """Return the probe or action that a call names, or the sentence about what is wrong."""
    function = node.func if isinstance(node, ast.Call) else None
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return None, f"`{ast.unparse(node)}` is no call of a system."
    alias, name = function.value.id, function.attr
    package, system = page.imported.get(alias, ("", ""))
    if package not in shelf.known.packages:
        return None, _not_imported(alias, package, shelf)
    if shelf.known.missing(package, system):
        return None, f"There is no system {system!r}. {near(system, shelf.known.systems(package))}"
    if broken := shelf.known.broken(package, system):
        return None, f"The system {system!r} cannot be loaded: {broken}."
    kind = _KINDS[verb]
    found = shelf.known.factory(package, system, name)
    if not isinstance(found, kind):
        said = "probe" if kind is ProbeFactory else "action"
        names = shelf.known.names(package, system, kind)
        return None, f"`{alias}.{name}` is no {said}. {near(name, names)}"
    return found, ""


def _not_imported(alias: str, package: str, shelf: Shelf) -> str:
    """Say that a name is no system of a pack here, and which packages are."""
    source = f"imported from {package}, which holds no systems of a pack here"
    said = f"`{alias}` is {source if package else 'not imported in the second cell'}."
    known = ", ".join(shelf.known.packages) or "no package"
    return " ".join([f"{said} Systems come from {known}.", *problems_of(shelf.known.packs)])


def _arguments(call: ast.Call, page: RunbookPage) -> tuple[list[Any], dict[str, Any]]:
    """Return a call's arguments: literals as they are, others as a stand-in of their kind."""
    defaults = {parameter.name: parameter.default for parameter in page.parameters}
    positional = [_stand_in(node, defaults) for node in call.args]
    named = {word.arg: _stand_in(word.value, defaults) for word in call.keywords if word.arg}
    return positional, named


def _stand_in(node: ast.expr, defaults: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return defaults.get(node.id)
    if is_duration(node):
        return seconds(1)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None
