"""What a drill says: its runs, its faults, and what it expects."""

import json

import pytest

from runbook_nb.runbook.drill import Drill, drills_in
from runbook_nb.runbook.runbook import Runbook, runbooks_folder


def step(function: str, **arguments: object) -> dict:
    return {"provider": {"func": function, "arguments": arguments}}


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"method": 7}', '{"method": [null]}'])
def test_a_file_that_is_no_drill_says_nothing(tmp_path, text):
    """And its neighbours are still read."""
    path = tmp_path / "trial.fault.json"
    path.write_text(text, encoding="utf-8")
    drill = Drill.at(path)

    assert (drill.runs, drill.injected, dict(drill.expectation)) == ([], [], {})
    assert bool(drill.problem) == (not text.startswith('{"'))


def test_a_fault_is_healed_only_where_nothing_can_keep_it_in_place(tmp_path):
    """A rollback that waits for success leaves the lab broken."""
    says = {"method": [step("inject", fault="a")], "rollbacks": [step("heal", fault="a")]}
    path = tmp_path / "trial.a.json"
    path.write_text(json.dumps(says))
    assert (Drill.at(path).injected, Drill.at(path).healed) == (["a"], [])

    says["runtime"] = {"rollbacks": {"strategy": "always"}}
    path.write_text(json.dumps(says))
    assert Drill.at(path).healed == ["a"]


def test_every_shipped_drill_runs_the_runbook_that_it_is_named_for():
    """And the control injects nothing."""
    drills = drills_in(runbooks_folder())
    names = {runbook.name for runbook in Runbook.every()}

    assert {drill.runbook for drill in drills} == names
    for drill in drills:
        assert drill.arguments["runbook"] == drill.runbook
        assert drill.injected == drill.healed == ([] if drill.is_control else [drill.fault])
