"""Undos on the real lab: truth is read from the customers' records, and each way out is true."""

from collections.abc import Iterator

import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError, WriteRefusedError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.undo import heal
from runbook_nb.packs.control_plane.lab.faults.undo_rows import keep_rows
from runbook_nb.packs.control_plane.systems import undo_plans, undos
from runbook_nb.packs.control_plane.systems.undos import _effects

pytestmark = [pytest.mark.lab, pytest.mark.slow]

OPEN = (
    undos.unended(),
    undos.half_run(),
    undos.unwritten(),
    undos.too_late(),
    undos.changed_since(),
    undos.one_way(),
    undos.cut_off(),
    undos.without_plan(),
)
PLANS = "select id::text, status::text from mission_undo_plans order by id"
FOLLOW_UPS = "select count(*) as open from mission_followups where task_type = 'undo_residual'"


@pytest.fixture
def fault(lab, request) -> Iterator[None]:
    """Inject the fault that the test names, and heal it after, twice."""
    FAULTS[request.param].inject(lab)
    yield
    heal(lab)
    heal(lab)


@pytest.fixture
def kept(lab) -> Iterator[None]:
    """Keep the rows, and put them back after."""
    with superuser(lab) as connection:
        keep_rows(connection)
    yield
    heal(lab)


def injected(name):
    return pytest.mark.parametrize("fault", [name], indirect=True)


def rows(hands, question):
    reading = hands.environment.reading([])
    try:
        return reading.database().rows(question)
    finally:
        reading.close()


@pytest.mark.parametrize("probe", [undos.not_undone(), undo_plans.no_way_back(), *OPEN], ids=str)
def test_a_healthy_lab_has_no_undo_to_look_after(hands, probe):
    """Every count is zero."""
    assert hands.value(probe) == 0


def test_a_healthy_lab_undoes_fast_and_well(hands):
    """The figures are within the platform's targets, from at least five undos."""
    assert hands.value(undos.success()) >= 95
    assert hands.value(undos.latency()) <= 5


@injected("undo_claimed")
@pytest.mark.holds("undos.finish")
def test_an_undo_that_only_claims_is_found_done_and_taken_back(hands, fault):
    """Events and plan say executed; the record says the truth, before and after."""
    finish = undos.finish(which="in time")
    found = hands.read(undos.not_undone())
    assert found.value == 2
    assert {step["effect"] for step in found.detail["steps"]} == {"the change stands"}
    assert hands.value(undos.success()) >= 95
    rehearsed = hands.rehearse(finish)
    done = hands.do(finish)

    assert rehearsed["records"] == sum(len(one["steps taken back"]) for one in done["undos"]) >= 4
    assert hands.value(undos.not_undone()) == 0
    assert hands.do(finish) == {"undos": []}
    hands.undo(finish, done)
    assert hands.value(undos.changed_since()) == 2


@injected("undo_half_ran.conflict")
def test_what_somebody_changed_since_is_left_alone(hands, fault):
    """Only the undos with nothing in their way are finished."""
    done = hands.do(undos.finish(which="in time"))

    assert len(done["undos"]) == 2
    assert hands.value(undos.half_run()) == 0
    assert hands.value(undos.changed_since()) == 2


@injected("undo_conflict")
@pytest.mark.holds("undos.record_residual")
def test_what_stays_is_written_down_once_nothing_can_be_taken_back(hands, fault):
    """It declines before; the follow-up ends the undo, and withdrawing it opens it again."""
    before = rows(hands, PLANS)
    with pytest.raises(NothingDoneError, match="can still be taken back"):
        hands.do(undos.record_residual())
    hands.do(undos.finish(which="obstructed"))
    rehearsed = hands.rehearse(undos.record_residual())["undos"]
    done = hands.do(undos.record_residual())

    assert [one["stays"] for one in rehearsed] == [one["stays"] for one in done["undos"]]
    assert all("mission_owner" in one["must be told"] for one in done["undos"])
    assert hands.value(undos.changed_since()) == 0
    assert rows(hands, FOLLOW_UPS) == [{"open": 2}]
    hands.undo(undos.record_residual(), done)
    assert hands.value(undos.changed_since()) == 2
    assert rows(hands, PLANS) == before


@injected("undo_unplanned")
@pytest.mark.holds("undo_plans.hold_missions")
def test_missions_without_a_way_back_are_held_and_released(hands, fault):
    """The rehearsal names them; undo gives missions and stages what they had."""
    rehearsed = hands.rehearse(undo_plans.hold_missions())
    done = hands.do(undo_plans.hold_missions())

    assert rehearsed == done
    assert len(done["missions held"]) == 2
    assert hands.value(undo_plans.no_way_back()) == 0
    hands.undo(undo_plans.hold_missions(), done)
    assert hands.value(undo_plans.no_way_back()) == 2


def test_it_declines_to_hold_most_of_the_platform(lab, hands, kept):
    """More than half of the missions at work: that is a decision of people."""
    with superuser(lab) as connection:
        connection.execute("update mission_plays set undo_plan_id = null where selected")
    assert hands.value(undo_plans.no_way_back()) > 5
    with pytest.raises(NothingDoneError, match="Incident Commander"):
        hands.rehearse(undo_plans.hold_missions())


def test_no_undo_and_no_mission_is_no_answer(lab, hands, kept):
    """Nothing to look at is not health."""
    with superuser(lab) as connection:
        connection.execute("delete from undo_events")
        connection.execute("update missions set status = 'blocked' where current_stage = 'Approve'")
    for probe in (undos.success(), undos.latency(), undos.not_undone()):
        with pytest.raises(NoAnswerError, match="undos"):
            hands.read(probe)


@injected("undo_stuck")
def test_an_undo_from_the_future_is_no_answer(lab, hands, fault):
    """A clock ahead makes everything look young."""
    with superuser(lab) as connection:
        connection.execute(
            "update undo_events set occurred_at = occurred_at + interval '1 hour' "
            "where event_type = 'requested' and occurred_at > now() - interval '15 minutes'"
        )
    with pytest.raises(NoAnswerError, match="clock"):
        hands.read(undos.unended())


@injected("undo_partner_down")
def test_a_partner_that_fails_tells_nothing_of_a_record(hands, fault):
    """Neither that it stands nor that it does not."""
    with pytest.raises(NoAnswerError, match="nothing is known of that step"):
        hands.read(undos.not_undone())


@injected("undo_half_ran")
def test_a_plan_that_reads_with_a_writing_tool_is_refused(lab, hands, fault):
    """A probe runs no tool that is not named as one that reads."""
    with superuser(lab) as connection:
        connection.execute(
            "update mission_undo_plans set steps = jsonb_set(steps, '{0,read_action}', "
            "steps -> 0 -> 'reverse_action') where id in "
            "(select undo_plan_id from undo_events where event_type = 'failed')"
        )
    with pytest.raises(WriteRefusedError, match="not named as a tool that reads"):
        hands.read(undos.half_run())


def test_a_run_changes_at_most_fifty_records():
    """The number is the platform's own safeguard."""
    from runbook_nb.packs.control_plane.systems.undos.actions import MOST_RECORDS

    assert MOST_RECORDS == 50
    assert {"GET", "READ", "SEARCH"} <= _effects.READING
