"""A step's call, made of its text in given names: probes and actions wait, and nothing runs.

Only what makes a value is called: a probe or an action of a pack, a limit, a duration. So a step
can be known before its cell has run, whatever else its names hold.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError
from runbook_nb.probes.calls import ActionFactory, ProbeFactory
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.steps import Step, verb_call

# Whose functions only make a value of their arguments.
_MAKERS: Final = frozenset(
    {
        "datetime",
        "runbook_nb.probes.combine",
        "runbook_nb.probes.limits",
        "runbook_nb.testing",
        "runbook_nb.text.durations",
    }
)


@dataclass(frozen=True, kw_only=True)
class MadeCall:
    """The arguments of a verb, as its cell would give them."""

    positional: tuple[Any, ...]
    named: Mapping[str, Any]


def make_call(step: Step, names: Mapping[str, Any]) -> MadeCall:
    """Return the arguments of a step's verb; raises RunbookFormatError where they are not told."""
    call = verb_call(Cell(kind="code", source=step.source))
    if call is None:
        raise RunbookFormatError(_not_made(step, "it is not one verb"))
    try:
        return MadeCall(
            positional=tuple(value_of(each, names) for each in call.args),
            named={word.arg or "": value_of(word.value, names) for word in call.keywords},
        )
    except RunbookFormatError as error:
        raise RunbookFormatError(_not_made(step, str(error))) from None
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise RunbookFormatError(_not_made(step, said)) from error


def _not_made(step: Step, why: str) -> str:
    return (
        f"The {step.verb} {step.title!r} under {step.heading!r} cannot be planned from its text: "
        f"{why.rstrip('.')}. Run its cell first."
    )


def value_of(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """Return what an expression is; only what a step is written with is looked at.

    Raises RunbookFormatError for anything else, and what the call of a pack raises.
    """
    made: Callable[[Any, Mapping[str, Any]], Any] | None = _KINDS.get(type(node))
    if made is None:
        message = f"`{ast.unparse(node)}` is no literal, name or call"
        raise RunbookFormatError(message)
    return made(node, names)


def _name(node: ast.Name, names: Mapping[str, Any]) -> Any:
    if node.id not in names:
        message = f"the name `{node.id}` is not known yet"
        raise RunbookFormatError(message)
    return names[node.id]


def _attribute(node: ast.Attribute, names: Mapping[str, Any]) -> Any:
    if node.attr.startswith("_"):
        message = f"`{ast.unparse(node)}` leads behind what a pack offers"
        raise RunbookFormatError(message)
    return getattr(value_of(node.value, names), node.attr)


def _called(node: ast.Call, names: Mapping[str, Any]) -> Any:
    function = value_of(node.func, names)
    makes = isinstance(function, ProbeFactory | ActionFactory)
    if not makes and getattr(function, "__module__", "") not in _MAKERS:
        message = f"`{ast.unparse(node.func)}` is no probe, action, limit or duration"
        raise RunbookFormatError(message)
    if any(word.arg is None for word in node.keywords):
        message = f"the arguments of `{ast.unparse(node.func)}` are not written out"
        raise RunbookFormatError(message)
    positional = [value_of(each, names) for each in node.args]
    return function(*positional, **{str(w.arg): value_of(w.value, names) for w in node.keywords})


def _negative(node: ast.UnaryOp, names: Mapping[str, Any]) -> Any:
    if not isinstance(node.op, ast.USub):
        message = f"`{ast.unparse(node)}` is no literal, name or call"
        raise RunbookFormatError(message)
    return -value_of(node.operand, names)


def _mapping(node: ast.Dict, names: Mapping[str, Any]) -> dict[Any, Any]:
    keys = [key for key in node.keys if key is not None]
    if len(keys) < len(node.values):
        message = f"`{ast.unparse(node)}` is not written out"
        raise RunbookFormatError(message)
    return {
        value_of(key, names): value_of(value, names)
        for key, value in zip(keys, node.values, strict=True)
    }


_KINDS: Final[Mapping[type, Callable[[Any, Mapping[str, Any]], Any]]] = {
    ast.Attribute: _attribute,
    ast.Call: _called,
    ast.Constant: lambda node, _names: node.value,
    ast.Dict: _mapping,
    ast.List: lambda node, names: [value_of(each, names) for each in node.elts],
    ast.Name: _name,
    ast.Set: lambda node, names: {value_of(each, names) for each in node.elts},
    ast.Tuple: lambda node, names: tuple(value_of(each, names) for each in node.elts),
    ast.UnaryOp: _negative,
}
