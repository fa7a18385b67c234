"""Every action that a runbook can take has a rehearsal, and a test here that does it for real."""

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_nb import systems
from runbook_nb.calls import ActionFactory

HERE = Path(__file__).parent
# One test does the repairs of four systems by its parameter; a command posts the closing.
BY_PARAMETER = {"grants.restore", "helper_functions.restore", "policies.restore", "views.close"}
BY_COMMAND = {"slack.closed"}


def actions() -> Iterator[tuple[str, ActionFactory]]:
    """Return every action of the systems with its name, as a runbook calls it."""
    for found in pkgutil.walk_packages(systems.__path__, f"{systems.__name__}."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, ActionFactory) and value.__module__ == found.name:
                yield f"{found.name.removeprefix(systems.__name__ + '.')}.{name}", value


def called(path: Path) -> set[str]:
    """Return what a file names as ``module.function``."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


ACTIONS = dict(actions())
CALLED = {name for path in HERE.glob("test_*.py") for name in called(path)}


@pytest.mark.parametrize("name", sorted(ACTIONS.keys() - BY_COMMAND))
def test_an_action_can_be_rehearsed_and_is_done_by_a_test(name):
    """Who adds an action adds the proof that its rehearsal is true."""
    package, _, function = name.rpartition(".")
    places = {package.partition(".")[0], package.rpartition(".")[2]}
    names = {f"{place}.{function}" for place in places}
    names |= {f"system.{function}"} if name in BY_PARAMETER else set()

    assert ACTIONS[name]._rehearse is not None, "add a rehearsal: @name.rehearsal"
    assert names & CALLED, f"no test in {HERE.name} does {name}"
