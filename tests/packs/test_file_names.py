"""A file's name says what it may do: probes stand in ``probes.py``, actions in ``actions.py``."""

import ast
import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

import pytest

from runbook_nb import packs
from runbook_nb.probes.calls import ActionFactory, ProbeFactory

KINDS = {"probes": ProbeFactory, "actions": ActionFactory}
# Settings that open a system for writing.
WRITING = {"writer", "owner"}


def systems() -> list[str]:
    """Return the public systems of all packs that are shipped, by their full names."""
    found = pkgutil.walk_packages(packs.__path__, f"{packs.__name__}.")
    names = [module.name for module in found if module.name.split(".")[-2] == "systems"]
    return [name for name in names if not name.rpartition(".")[2].startswith("_")]


def calls_of(module: ModuleType) -> dict[str, object]:
    """Return the probes and actions that a module holds, by name."""
    kinds = ProbeFactory | ActionFactory
    return {name: each for name, each in vars(module).items() if isinstance(each, kinds)}


@pytest.mark.parametrize("name", systems())
def test_each_call_stands_in_the_file_that_says_its_kind(name):
    """And the system offers it; a runbook needs to know no file."""
    system = importlib.import_module(name)
    offered = calls_of(system)

    assert offered
    assert sorted(system.__all__) == sorted(offered)
    for call, factory in offered.items():
        module = factory.__module__.removeprefix(f"{name}.")
        assert isinstance(factory, KINDS[module]), f"{name}.{call} stands in {module}"


@pytest.mark.parametrize("name", systems())
def test_probes_ask_for_no_writer(name):
    """Neither by an action, nor by the settings and the connections that can write."""
    path = Path(importlib.import_module(name).__file__).with_name("probes.py")
    if not path.exists():
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").endswith((".actions", ".owner")), ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
            assert node.func.attr != "writing", ast.unparse(node)
            asked = node.func.attr in ("setting", "secret")
            assert not (asked and given & WRITING), ast.unparse(node)
