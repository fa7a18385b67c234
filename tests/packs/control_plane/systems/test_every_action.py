"""Every action of every system is held by a test that rehearses it, does it and undoes it."""

import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from runbook_nb.packs.control_plane import systems
from runbook_nb.probes.calls import ActionFactory, call_name

HERE = Path(__file__).parent
COLLECT = """
import json, sys, pytest

class Promises:
    def pytest_collection_finish(self, session):
        found = {}
        for item in session.items:
            for marker in item.iter_markers("holds"):
                for action in marker.args:
                    found.setdefault(action, marker.kwargs.get("undo", True))
        print("PROMISED " + json.dumps(found))

pytest.main(["--collect-only", "-qq", *sys.argv[1:]], plugins=[Promises()])
"""


def actions() -> dict[str, ActionFactory]:
    """Return the actions of all systems by the name that a timeline gives them."""
    found = {}
    for module in pkgutil.walk_packages(systems.__path__, f"{systems.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, ActionFactory):
                found[call_name(value)] = value
    return found


@pytest.fixture(scope="module")
def promised() -> dict[str, bool]:
    """Return which action is held by a test of this folder, and whether with its undo."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, "-p", "no:xdist", "-m", "", str(HERE)],
        cwd=HERE.parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = [each for each in done.stdout.splitlines() if each.startswith("PROMISED ")]
    return json.loads(line.partition(" ")[2])


def test_every_action_is_held_by_a_test(promised):
    """Mark the test of a new one with ``holds``: it must rehearse, do and undo it."""
    assert sorted(promised) == sorted(actions())


def test_an_undo_is_tried_wherever_there_is_one(promised):
    """What cannot be undone says so, and only that is left out."""
    left_out = {name for name, undone in promised.items() if not undone}
    assert left_out == {name for name, action in actions().items() if action._undo is None}


def test_every_action_has_a_rehearsal():
    """Without one a responder says yes to what nobody has seen."""
    assert [name for name, action in actions().items() if action._rehearse is None] == []
