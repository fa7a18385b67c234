"""The action of a cell that has not run: made from its text, so that it can be asked about."""

import ast
from collections.abc import Callable, Mapping
from typing import Any, Final

from runbook_nb.probes.calls import Action
from runbook_nb.runbook.runbook import Runbook

# What the call of an action is written with; nothing else is looked at.
_PLAIN: Final = (
    ast.Call,
    ast.Attribute,
    ast.Name,
    ast.Constant,
    ast.keyword,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.UnaryOp,
    ast.USub,
    ast.Load,
)


def kernel_names() -> Mapping[str, Any]:
    """Return the names of the notebook whose kernel this is; none outside of one."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell.user_ns if shell else {}


def action_of_cell(
    runbook: Runbook, title: str, names: Callable[[], Mapping[str, Any]]
) -> Action | None:
    """Return the action of that title as its cell calls it; None where that cannot be told.

    To make a call runs nothing of it.
    """
    step = runbook.step("act", title)
    if step is None:
        return None
    try:
        call = ast.parse(step.call, mode="eval")
        if not all(isinstance(node, _PLAIN) for node in ast.walk(call.body)):
            return None
        made = eval(compile(call, "<act>", "eval"), {**names()})  # noqa: S307 - only such calls
    except Exception:  # noqa: BLE001 - a cell that fails says so when it runs
        return None
    return made if isinstance(made, Action) else None
