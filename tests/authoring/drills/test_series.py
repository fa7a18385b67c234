"""Which drill a newcomer begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import runbook_nb.runbook.packs
from runbook_nb.authoring.drills import find_drills, first_drill
from runbook_nb.errors import DrillError
from runbook_nb.runbook.drill import Drill

DRILLS = [
    Drill.at(Path(f"cold_store.{fault}.json")) for fault in ("door_open", "none", "warm_cell")
]


@pytest.fixture
def naming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A project whose pack names a drill to begin with."""
    (tmp_path / "cold.py").write_text(
        "from runbook_nb import Pack\n"
        "PACK = Pack(name='cold', about='', first_drill='cold_store.warm_cell')\n"
    )
    (tmp_path / "runbook.toml").write_text('packs = ["cold:PACK"]\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield
    runbook_nb.runbook.packs._loaded.cache_clear()


def test_the_first_drill_is_the_one_that_a_pack_names(naming):
    """Only who knows the platform knows its plainest failure."""
    assert first_drill(DRILLS).fault == "warm_cell"


def test_without_one_it_is_the_first_that_breaks_something(tmp_path, monkeypatch):
    """A control shows a newcomer nothing."""
    (tmp_path / "runbook.toml").write_text("packs = []\n")
    monkeypatch.chdir(tmp_path)

    assert first_drill([DRILLS[1], DRILLS[0]]).fault == "door_open"


def test_a_drill_is_found_by_its_whole_name():
    """As the table of results writes it."""
    (found,) = find_drills("heartbeat_failure_recovery.agent_dead")

    assert [found] == find_drills("heartbeat_failure_recovery", "agent_dead")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("heartbeat.agent_dead",), "is of 'heartbeat'. .*heartbeat_failure_recovery"),
        (("rollback_procedure.flag_error",), "of rollback_procedure .*mean 'flag_errors'"),
        (("rollback_procedure", "agent_dead"), "'agent_dead'. Known: flag_errors, none, .*"),
        ((None, "agent_deed"), "No drill has the fault 'agent_deed'. .*'agent_dead'"),
    ],
)
def test_a_drill_that_there_is_not_says_which_word_is_wrong(words, said):
    """With what is near, or all faults of that runbook."""
    with pytest.raises(DrillError, match=said):
        find_drills(*words)
