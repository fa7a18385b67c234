"""Telemetry on the real lab: what is missing, where it stops, and how it is mended."""

from datetime import timedelta

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.systems import (
    agent_buffers,
    event_gaps,
    event_path,
    event_rows,
    telemetry,
)
from runbook_nb.timeline.store.embedded.processes import wait_until

pytestmark = pytest.mark.slow

WEEK, DAY, WATCH = timedelta(days=7), timedelta(days=1), timedelta(seconds=3)
BEHIND = telemetry.behind(quiet=timedelta(minutes=15))
UNSEEN = telemetry.unseen()
TAKING = event_path.taking(watch=WATCH)
CALLS = event_gaps.unseen_calls(window=WEEK)
COPIES = event_rows.copies(window=WEEK)
BARE = event_rows.bare(window=DAY)
FILLED = "select count(*) from telemetry_events where context ? 'backfilled'"


@pytest.fixture
def fault(lab, request):
    """Inject the fault that the test names, and heal it after."""
    FAULTS[request.param].inject(lab)
    yield FAULTS[request.param]
    FAULTS[request.param].heal(lab)


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def count(lab, statement, **bound):
    with psycopg.connect(Lab(lab.folder).dsn()) as connection:
        return connection.execute(statement, bound).fetchone()[0]


def mended(hands, action, probe, *, healthy=0):
    """Rehearse, do, look, undo and look again; the rehearsal shows and changes nothing."""
    broken = hands.value(probe)
    hands.rehearse(action)
    assert hands.value(probe) == broken != healthy
    result = hands.do(action)
    assert hands.value(probe) == healthy
    hands.undo(action, result)
    assert hands.value(probe) == broken
    return result


def test_a_healthy_lab_passes_every_reading(hands):
    """Nothing is behind, unseen, taken, refused, held, lost, doubled or bare."""
    for probe in (UNSEEN, TAKING, event_path.refused(), agent_buffers.degraded(), COPIES, BARE):
        assert hands.value(probe) == 0, probe
    assert hands.value(BEHIND) < 5
    assert hands.value(CALLS) == hands.value(agent_buffers.not_allowed()) == 0
    assert hands.value(telemetry.ahead()) < 60
    assert hands.value(event_path.purge_reach()) == 180


@injected("quiet_night")
@pytest.mark.usefixtures("fault")
def test_a_quiet_night_is_no_stall(hands):
    """Where nothing is at work no event is due, so nobody can say that one is missing."""
    for probe in (BEHIND, UNSEEN):
        with pytest.raises(NoAnswerError):
            hands.read(probe)


@pytest.mark.holds("event_path.open_path", "event_gaps.backfill")
@injected("events_taken")
def test_a_trigger_that_takes_events_is_disabled_and_the_gap_filled(hands, lab, fault):
    """It is enabled again by the undo; a second run of the backfill inserts nothing."""
    assert hands.value(BEHIND) > 15
    assert hands.value(UNSEEN) == 8
    opened = hands.do(event_path.open_path(watch=WATCH))
    assert [one["name"] for one in opened["disabled"]] == ["archive_events"]
    assert hands.value(TAKING) == 0
    action = event_gaps.backfill(window=WEEK, batch=15)
    shown = hands.rehearse(action)
    assert count(lab, FILLED) == 0
    filled = hands.do(action)
    assert filled["inserted"] == shown["inserted"] == count(lab, FILLED) >= 40
    assert len(filled["batches"]) == -(-filled["inserted"] // 15)
    lost = [one["event_type"] for one in filled["cannot be filled in these gaps"]]
    assert "session_heartbeat" in lost
    assert hands.value(CALLS) == 0
    with pytest.raises(NothingDoneError):
        hands.do(action)
    hands.undo(action, filled)
    assert count(lab, FILLED) == 0
    hands.undo(event_path.open_path(watch=WATCH), opened)
    hands.rehearse(event_path.open_path(watch=WATCH))
    assert hands.value(TAKING) == 1


@pytest.mark.parametrize("fault", ["events_stamped", "events_archived"], indirect=True)
@pytest.mark.usefixtures("fault")
def test_a_trigger_that_takes_nothing_is_listed_and_left(hands):
    """Neither its text nor what happens accuses it."""
    found = hands.read(TAKING)
    assert found.value == 0
    assert len(found.detail) == 2
    with pytest.raises(NothingDoneError):
        hands.do(event_path.open_path(watch=WATCH))


@injected("events_taken.reader_cut")
@pytest.mark.usefixtures("fault")
def test_who_may_not_look_says_nothing(hands):
    """A reader without the right to see events is an error, and not a zero."""
    for probe in (BEHIND, UNSEEN, CALLS, COPIES, BARE):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            hands.read(probe)


@pytest.mark.holds("event_path.restore_rights")
@pytest.mark.holds("agent_buffers.flush", undo=False)
@injected("inserts_refused")
def test_refused_events_are_held_by_the_agent_and_stored_with_their_own_times(hands, lab, fault):
    """While the right is missing nothing can be stored; then all that was held is there."""
    assert hands.value(agent_buffers.degraded()) == 1
    with pytest.raises(NothingDoneError):
        hands.do(agent_buffers.flush())
    mended(hands, event_path.restore_rights(), event_path.refused())
    hands.do(event_path.restore_rights())
    before = count(lab, "select clock_timestamp()")
    held = hands.rehearse(agent_buffers.flush())["would store"][0]["depth"]
    stored = hands.do(agent_buffers.flush())["machines"][0]["stored"]
    assert stored >= held > 0
    assert hands.value(agent_buffers.degraded()) == 0
    # The ui keeps nothing that was refused: a tab is seen again with the proxy's next beat.
    assert wait_until(lambda: hands.value(UNSEEN) == 0, within_s=5)
    late = "select count(*) from telemetry_events where created_at < %(before)s and id in "
    late += "(select id from telemetry_events order by ctid desc limit 50)"
    assert count(lab, late, before=before) > 0


@pytest.mark.holds("agent_buffers.allow_writes")
@injected("writes_off")
def test_a_machine_that_may_not_write_is_emptied_before_it_restarts(hands, lab, fault):
    """A restart loses its memory, so its events are stored first."""
    action = agent_buffers.allow_writes()
    assert hands.rehearse(action)[0]["would become"] == "true"
    result = hands.do(action)
    assert result["machines"][0]["stored"] == result["machines"][0]["held"] > 0
    assert hands.value(agent_buffers.not_allowed()) == 0
    hands.undo(action, result)
    assert hands.value(agent_buffers.not_allowed()) == 1


@pytest.mark.holds("event_path.hold_purge")
@injected("purge_reaches")
@pytest.mark.usefixtures("fault")
def test_a_purge_that_reaches_too_far_is_held(hands):
    """One that is held deletes nothing, whatever its text says."""
    mended(hands, event_path.hold_purge(), event_path.purge_reach(), healthy=10_000)


@pytest.mark.holds("event_rows.remove_copies")
@injected("events_doubled")
@pytest.mark.usefixtures("fault")
def test_copies_are_moved_out_and_back(hands):
    """Each first event stays."""
    result = mended(hands, event_rows.remove_copies(window=WEEK), COPIES)
    assert result["moved to runbook_kept"] == 150


@injected("calls_made_twice")
@pytest.mark.usefixtures("fault")
def test_calls_that_were_made_twice_are_no_copies(hands):
    """Composio's audit has them twice as well."""
    assert hands.value(COPIES) == 0
    with pytest.raises(NothingDoneError, match="0 copies"):
        hands.do(event_rows.remove_copies(window=WEEK))


@pytest.mark.holds("event_rows.fill_context")
@injected("contexts_empty")
@pytest.mark.usefixtures("fault")
def test_contexts_are_filled_from_their_rows(hands):
    """What the payload said stays lost, and is counted by kind."""
    result = mended(hands, event_rows.fill_context(window=DAY), BARE)
    assert sum(result["payload that stays lost"].values()) == result["filled"]
    assert hands.value(COPIES) == 0


@injected("gap_left.one_tenant")
@pytest.mark.usefixtures("fault")
def test_a_gap_of_one_tenant_is_not_averaged_away(hands):
    """The worst tenant's share is the answer."""
    found = hands.read(CALLS)
    tenants = [row for row in found.detail if "tenant" in row]
    assert found.value == tenants[0]["unseen %"] > 1
    assert tenants[-1]["unseen %"] == 0


def test_a_window_without_calls_is_no_answer(hands):
    """A share of nothing says nothing."""
    with pytest.raises(NoAnswerError):
        hands.read(event_gaps.unseen_calls(window=timedelta(seconds=61)))
