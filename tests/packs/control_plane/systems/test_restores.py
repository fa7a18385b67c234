"""Restores on the real lab: a second server, its proof, and rows that come back and go again."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from runbook_nb.errors import ActionError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.lab.monitoring import wait_until_quiet
from runbook_nb.packs.control_plane.systems import backups, restores
from runbook_nb.packs.control_plane.systems.restores import _proof as proof
from runbook_nb.probes.connections import Database

pytestmark = [pytest.mark.lab, pytest.mark.slow]

LINKED = "select count(*) from library_entries where source_mission_id is not null"
VECTORS = "select count(*) from library_embeddings"


@pytest.fixture
def fault(lab, hands, request):
    """Inject the fault that the test names; heal it twice after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)
    FAULTS[request.param].heal(lab)
    hands.do(restores.remove_copy())
    assert wait_until_quiet(lab) == []


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def asked(lab, question):
    with psycopg.connect(Lab(lab.folder).dsn(), autocommit=True) as connection:
        return connection.execute(question).fetchone()[0]


@injected("missions_deleted")
@pytest.mark.holds("restores.bring_back")
def test_lost_rows_come_back_as_rehearsed(fault, lab, hands):
    """Rehearsed, done, done again, undone: each leaves exactly what it says."""
    lost, linked = hands.value(backups.rows_lost()), asked(lab, LINKED)
    assert hands.rehearse(restores.bring_back()).keys() == {"waits for"}
    made = hands.do(restores.restore_copy())
    assert made["damage"]["deleted"]["missions"] > 10
    assert 0 <= made["loss_s"] < 60

    rehearsed = hands.rehearse(restores.bring_back())
    assert hands.value(backups.rows_lost()) == lost
    done = hands.do(restores.bring_back())
    assert {name: done[name] for name in rehearsed} == rehearsed
    assert done["inserted"] == made["damage"]["deleted"]
    assert hands.value(backups.rows_lost()) == 0
    assert asked(lab, LINKED) > linked

    assert hands.do(restores.bring_back())["inserted"] == {}
    hands.undo(restores.bring_back(), done)
    assert hands.value(backups.rows_lost()) == lost
    assert asked(lab, LINKED) == linked


@injected("library_deleted")
def test_embeddings_come_back_with_their_entries(fault, lab, hands):
    """Only the tables that were chosen are touched."""
    vectors = asked(lab, VECTORS)
    hands.do(restores.restore_copy())
    done = hands.do(restores.bring_back(tables=("library_entries", "library_embeddings")))

    assert done["inserted"]["library_entries"] == done["inserted"]["library_embeddings"]
    assert asked(lab, VECTORS) > vectors
    assert hands.value(restores.vector_differences()) == 0


@injected("wal_gap")
def test_a_gap_ends_the_restore_and_the_loss_is_told(fault, hands):
    """The moment of the damage is out of reach; what the log reaches comes back."""
    with pytest.raises(ActionError, match="has a gap after 0000"):
        hands.do(restores.restore_copy())
    assert hands.value(restores.copies()) == 0

    made = hands.do(restores.restore_copy(to="end"))
    assert made["gaps"] == 1
    assert made["reached"] < made["damage"]["at"]
    assert made["loss_s"] > 0
    hands.do(restores.bring_back())
    assert hands.value(backups.rows_lost()) == 0


@pytest.mark.holds("restores.restore_copy")
def test_a_copy_is_proven_and_removed(lab, hands):
    """The rehearsal makes none; the copy only reads; the undo leaves neither files nor server."""
    assert wait_until_quiet(lab) == []
    rehearsed = hands.rehearse(restores.restore_copy(to="end"))
    assert hands.value(restores.copies()) == 0
    made = hands.do(restores.restore_copy(to="end"))

    assert rehearsed["would restore"].startswith(str(lab.folder / "backups"))
    assert (made["catalogue"], made["rows"], made["vectors"]) == ([], [], [])
    assert hands.value(restores.copies()) == 1
    assert hands.value(restores.last_proven()) == 0
    assert hands.value(restores.took()) < 4
    assert hands.value(restores.data_lost()) < 1
    assert hands.value(restores.catalogue_differences()) == 0
    assert hands.value(restores.row_differences()) == 0
    copy = json.loads((lab.folder / "restores" / "copy" / "copy.json").read_text())
    with (
        psycopg.connect(host=copy["socket"], port=5432, user="postgres") as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("delete from missions")

    again = hands.do(restores.restore_copy(to="end"))
    hands.undo(restores.restore_copy(to="end"), again)
    assert hands.value(restores.copies()) == 0
    assert not Path(copy["socket"]).exists()


def test_a_row_that_points_to_nothing_is_found(lab):
    """A restore that tore rows from their parents is none."""
    database = Database(Lab(lab.folder).dsn(), read_only=False, timeout_s=30, asked=[])
    assert proof.orphans(database) == []
    with database.transaction(rollback=True):
        database.rows("set local session_replication_role = replica")
        database.rows("delete from mission_undo_plans")
        found = {row["key"] for row in proof.orphans(database)}
    database.close()

    holders = ("mission_approvals", "mission_plays", "undo_events")
    assert found == {f"{table}_undo_plan_id_fkey" for table in holders}


@pytest.mark.holds("restores.remove_copy", undo=False)
def test_removing_a_copy_is_safe_twice(lab, hands):
    """The second time there is nothing, and that is no error."""
    hands.do(restores.restore_copy(to="end"))
    assert hands.rehearse(restores.remove_copy())["runs"]

    assert hands.do(restores.remove_copy()) == {"removed": True}
    assert hands.do(restores.remove_copy()) == {"removed": False}


def test_bringing_back_needs_a_copy(lab, hands):
    """Nothing is inserted from nowhere."""
    with pytest.raises(ActionError, match="Restore one first"):
        hands.do(restores.bring_back())


@injected("missions_gone")
def test_a_restore_in_place_says_what_it_costs_and_comes_before_the_damage(fault, hands):
    """List and log agree on the missions; a moment after their end is declined."""
    shown = hands.rehearse(restores.restore_in_place())
    gone = int(shown["missions gone, by the list of the backup"].partition(" of ")[0])
    at = datetime.fromisoformat(shown["deleted at"][0])

    assert gone == shown["missions deleted, by the log"] > 100
    assert 0 <= at.timestamp() - shown["would send"]["recovery_time_target_unix"] < 1
    assert "telemetry_events" in shown["rows written since, which would be lost"]
    for late in (at + timedelta(seconds=1), at + timedelta(hours=1)):
        with pytest.raises(NothingDoneError, match="brings none of them back"):
            hands.do(restores.restore_in_place(to=late.isoformat()))
    assert hands.sent == []
