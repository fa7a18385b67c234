"""Backups on the real lab: what is read of them, and that taking one is true and can be undone."""

from pathlib import Path

import pytest

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet
from runbook_nb.packs.control_plane.systems import backups, restores

pytestmark = pytest.mark.lab


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names; heal it twice after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)
    FAULTS[request.param].heal(lab)
    assert wait_until_quiet(lab) == []


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def test_the_healthy_lab_passes_every_reading(lab, hands):
    """Each night has its backup, the log follows it, and nothing is lost."""
    assert wait_until_quiet(lab) == []
    assert hands.value(backups.age()) < 24
    assert hands.value(backups.last_status()) == "COMPLETED"
    assert hands.value(backups.reach()) >= 30
    assert hands.value(backups.restorable_window()) >= 7
    assert hands.value(backups.archiving()) == "archiving"
    assert hands.value(backups.missing_segments()) == 0
    assert hands.value(backups.intact()) == "intact"
    assert hands.value(backups.rows_lost()) == 0
    assert hands.value(backups.missions_lost()) == 0
    assert hands.value(backups.policies_changed()) == 0
    assert hands.value(backups.scheduled_jobs()) == 0


@injected("backup_stale")
@pytest.mark.holds("backups.take")
def test_a_backup_that_is_taken_ends_the_staleness(fault, hands):
    """The rehearsal takes none; the action takes one, also twice; the undo removes it."""
    assert hands.value(backups.last_status()) == "FAILED"
    stale = hands.value(backups.age())
    assert stale > 24

    rehearsed = hands.rehearse(backups.take())
    assert rehearsed["free_mb"] > rehearsed["needed_mb"] > rehearsed["would copy_mb"]
    assert hands.value(backups.age()) == pytest.approx(stale, abs=0.1)

    taken = hands.do(backups.take())
    copied = sum(file.stat().st_size for file in Path(taken["folder"]).rglob("*") if file.is_file())
    # What is written meanwhile is copied too, the server's own statistics are not.
    assert copied / 1e6 == pytest.approx(rehearsed["would copy_mb"], rel=0.1)
    assert hands.value(backups.age()) < 1
    assert hands.value(backups.intact()) == "intact"
    assert hands.value(backups.rows_lost()) == 0

    hands.undo(backups.take(), taken)
    assert hands.value(backups.age()) == pytest.approx(stale, abs=0.1)


def test_an_undo_deletes_nothing_but_a_backup(lab, hands, tmp_path):
    """A folder elsewhere is none of ours."""
    with pytest.raises(ActionError, match="no backup of this environment"):
        hands.undo(backups.take(), {"folder": str(tmp_path)})
    assert tmp_path.exists()


@injected("wal_gap")
def test_a_gap_in_the_log_is_named(fault, hands):
    """The segment that is missing is in the evidence, and the rows that went after it count."""
    found = hands.read(backups.missing_segments())

    assert found.value == len(found.detail["missing"]) == 1
    assert hands.value(backups.rows_lost()) > 100


@injected("rows_hidden")
def test_hidden_rows_are_not_lost(fault, hands):
    """Only the policy tells."""
    changed = hands.read(backups.policies_changed())

    assert changed.detail == [
        {"policy": "missions.archived_missions_are_over", "since the backup": "added"}
    ]
    assert hands.value(backups.rows_lost()) == 0


@pytest.mark.holds("restores.restore_in_place", undo=False)
def test_a_restore_in_place_declines_where_nothing_is_lost(lab, hands):
    """The default of the parameter sends nothing to the partner, rehearsed or done."""
    for call in (hands.rehearse, hands.do):
        with pytest.raises(NothingDoneError, match=r"misses 0 of .* less than half"):
            call(restores.restore_in_place())
        assert hands.sent == []
    with pytest.raises(ActionError, match="no moment"):
        hands.do(restores.restore_in_place(to="yesterday"))
