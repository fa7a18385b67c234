"""Inspections on the real lab: whose time it is, and how they are held, narrowed and resumed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from runbook_nb.errors import ActionError, NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.inspection_causes import (
    held,
    lost,
    written,
)
from runbook_nb.packs.control_plane.lab.faults.inspection_hands import (
    await_ended,
    heal,
    inspect,
    prepare,
    toolkit_of,
    under_way,
)
from runbook_nb.packs.control_plane.lab.faults.limits import configure
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import provide
from runbook_nb.packs.control_plane.lab.faults.outside import superuser, until
from runbook_nb.packs.control_plane.lab.monitoring import firing, wait_until_quiet
from runbook_nb.packs.control_plane.systems import inspections

pytestmark = [pytest.mark.lab, pytest.mark.slow]

WINDOW = timedelta(minutes=15)
AT_ONCE = timedelta(0)
STAGES = """
select m.readiness::text, s.status::text, s.coverage_percent::float
from missions m join mission_stage_status s on s.mission_id = m.id and s.stage = 'Prepare'
where m.id::text = any(%s)
"""


@pytest.fixture(autouse=True)
def healed(lab) -> Iterator[None]:
    """Have all be well after each test."""
    yield
    heal(lab)


def stages(lab, missions):
    with superuser(lab) as connection:
        return connection.execute(STAGES, [missions]).fetchall()


def alerts(lab):
    return {alert["labels"]["alertname"] for alert in firing(lab)}


def slow(page_s):
    """Return the volumes of accounts that take so long for a page."""
    return [{"rows": 2_000, "page_s": page_s}]


def test_an_inspection_that_ends_leaves_nothing_to_find(lab, hands):
    """It reads its sample, writes a row, and its stage is ready."""
    missions = prepare(lab, count=1)
    inspect(lab, missions)
    await_ended(lab)

    assert stages(lab, missions) == [("ready", "ready", 100.0)]
    assert hands.value(inspections.too_slow(longer_than=AT_ONCE, window=WINDOW)) == 0
    assert hands.value(inspections.lost(longer_than=AT_ONCE)) == 0
    assert 0 < hands.value(inspections.partner_time(window=WINDOW)) < 1
    assert hands.value(inspections.way_time(window=WINDOW)) < 1
    # A lab that has just started waits for its first backup.
    assert wait_until_quiet(lab) == []


def test_whose_time_it_is_cannot_be_told_before_the_first_page(lab, hands):
    """No page within 5 s, no opinion."""
    missions = prepare(lab, count=1)
    provide(lab, volumes=slow(12))
    inspect(lab, missions)
    until(
        lambda: any(one["reading_s"] > 5 for one in under_way(lab)),
        within_s=8,
        otherwise="Nothing was read",
    )

    with pytest.raises(NoAnswerError, match="has not come"):
        hands.read(inspections.partner_time(window=WINDOW))
    with pytest.raises(NoAnswerError, match="has not come"):
        hands.do(inspections.hold_slow(window=WINDOW))


@pytest.mark.holds("inspections.hold_slow")
def test_the_slow_toolkit_is_held_alone(lab, hands):
    """Its inspections end, nobody begins it, and the undo inspects it again."""
    missions = prepare(lab)
    toolkit = toolkit_of(lab, missions)
    provide(lab, volumes=[{"toolkit": toolkit, "rows": 2_000, "page_s": 5.2}])
    inspect(lab, missions)
    until(
        lambda: all(one["rows_read"] for one in under_way(lab)),
        within_s=9,
        otherwise="No page came",
    )
    call = inspections.hold_slow(window=WINDOW)
    assert hands.value(inspections.partner_time(window=WINDOW)) > 5
    shown = hands.rehearse(call)
    done = hands.do(call)

    assert shown["would hold"] == done["held"] == {one: [toolkit] for one in sorted(missions)}
    assert hands.value(inspections.partner_time(window=WINDOW)) < 1
    assert {stage[1] for stage in stages(lab, missions)} == {"blocked"}
    inspect(lab, missions)
    assert toolkit not in {one["toolkit"] for one in under_way(lab)}
    hands.undo(call, done)
    assert [one["toolkit"] for one in under_way(lab)].count(toolkit) == len(missions)


@pytest.mark.holds("inspections.narrow_wide")
def test_what_is_too_wide_begins_again_with_fewer_rows(lab, hands):
    """The undo gives the owner's scope back."""
    missions = prepare(lab, count=1, scope=40_000)
    provide(lab, volumes=slow(2))
    inspect(lab, missions)
    call = inspections.narrow_wide(above=1_000, rows=300, window=WINDOW)
    assert hands.value(inspections.widest(window=WINDOW)) == 40_000
    hands.rehearse(call)
    done = hands.do(call)

    assert hands.value(inspections.widest(window=WINDOW)) == 300
    with pytest.raises(NothingDoneError, match="more than 1000 rows"):
        hands.do(call)
    hands.undo(call, done)
    inspect(lab, missions)
    assert hands.value(inspections.widest(window=WINDOW)) == 40_000


@pytest.mark.holds("inspections.end_repeated")
def test_of_what_is_asked_again_the_oldest_goes_on(lab, hands):
    """Each mission's toolkit keeps one."""
    missions = prepare(lab, count=1)
    provide(lab, volumes=slow(3))
    inspect(lab, missions, times=3)
    first = {one["id"] for one in under_way(lab)[: len(under_way(lab)) // 3]}
    call = inspections.end_repeated()
    shown = hands.rehearse(call)
    done = hands.do(call)

    assert len(shown["would end"]) == len(done["ended"]) == 2 * len(first)
    assert {one["id"] for one in under_way(lab)} == first
    assert hands.value(inspections.repeated()) == 0
    with pytest.raises(NothingDoneError, match="more than once"):
        hands.do(call)
    hands.undo(call, done)
    assert hands.value(inspections.repeated()) == 2 * len(first)


@pytest.mark.holds("inspections.inspect_again")
def test_what_was_lost_is_inspected_again(lab, hands):
    """The undo ends it and lets the stages stand as they stood."""
    missions = prepare(lab, ago="20 s")
    provide(lab, volumes=slow(3))
    before = stages(lab, missions)
    call = inspections.inspect_again(window=WINDOW)
    assert hands.value(inspections.lost(longer_than=timedelta(seconds=10))) == 6
    assert "InspectionSlow" in alerts(lab)
    hands.rehearse(call)
    done = hands.do(call)

    assert hands.value(inspections.lost(longer_than=AT_ONCE)) == 0
    assert hands.value(inspections.too_slow(longer_than=AT_ONCE, window=WINDOW)) == 6
    hands.undo(call, done)
    assert under_way(lab) == []
    assert stages(lab, missions) == before


@pytest.mark.holds("inspections.reset_settings")
def test_the_settings_are_taken_from_the_machines_and_put_back(lab, hands):
    """What was cut off by the limit is found, and begins again."""
    configure(lab, INSPECTION_LIMIT_S="0.3", INSPECTION_WORKERS="2")
    inspect(lab, prepare(lab, count=1))
    await_ended(lab)
    call = inspections.reset_settings()
    assert hands.value(inspections.time_limit()) == 0.3
    assert hands.value(inspections.workers()) == 2
    assert hands.value(inspections.too_slow(longer_than=WINDOW, window=WINDOW)) == 3
    assert "InspectionTimedOut" in alerts(lab)
    hands.rehearse(call)
    done = hands.do(call)

    assert hands.value(inspections.time_limit()) == 60
    assert hands.value(inspections.workers()) == 4
    hands.undo(call, done)
    assert hands.value(inspections.time_limit()) == 0.3


@pytest.mark.holds("inspections.resume_held")
def test_what_is_held_goes_on_and_is_held_again_where_it_is_slow(lab, hands):
    """One that does not end in its time stops those after it."""
    held()(lab)
    assert hands.value(inspections.hold_due(after=WINDOW)) == 2
    assert "InspectionHeldLong" in alerts(lab)
    provide(lab, volumes=slow(2))
    with pytest.raises(ActionError, match="0 were inspected"):
        hands.do(inspections.resume_held(within=timedelta(seconds=0.2)))
    assert hands.value(inspections.hold_due(after=AT_ONCE)) == 2
    provide(lab, volumes=[])
    call = inspections.resume_held(within=timedelta(seconds=10))
    hands.rehearse(call)
    done = hands.do(call)

    assert len(done["inspected"]) == 2
    assert hands.value(inspections.hold_due(after=AT_ONCE)) == 0
    hands.undo(call, done)
    assert hands.value(inspections.hold_due(after=AT_ONCE)) == 2


def test_a_stage_with_all_its_checks_that_did_not_end_is_lost(lab, hands):
    """Whoever ended before its last line wrote no end."""
    missions = prepare(lab, count=1)
    inspect(lab, missions)
    await_ended(lab)
    with superuser(lab) as connection:
        connection.execute(
            "update mission_stage_status set status = 'in_progress' "
            "where mission_id::text = any(%s) and stage = 'Prepare'",
            [missions],
        )
        connection.execute(
            "update missions set status = 'in_progress' where id::text = any(%s)", [missions]
        )
    assert hands.value(inspections.lost(longer_than=AT_ONCE)) == 3


def test_who_waits_for_a_customer_waits_for_no_inspection(lab, hands):
    """Nor does a mission that was stopped."""
    for name in ("inspection_awaits_consent", "inspection_stopped"):
        FAULTS[name].inject(lab)
        assert hands.value(inspections.lost(longer_than=AT_ONCE)) == 0
        assert "InspectionSlow" not in alerts(lab)
        heal(lab)


def test_an_inspection_that_writes_is_found_whatever_its_rows_say(lab, hands):
    """Composio's log says which tool was executed."""
    assert hands.value(inspections.changes(window=WINDOW)) == 0
    written(calls=2, told=False)(lab)
    found = hands.read(inspections.changes(window=WINDOW))

    assert found.value == 2
    assert all(one["executed"] != one["action"] for one in found.detail)
    written(calls=1)(lab)
    assert hands.value(inspections.changes(window=WINDOW)) == 3
    assert "InspectionWrites" in alerts(lab)


def test_a_restart_loses_what_is_inspected(lab, hands):
    """Nobody works on it any more."""
    lost(count=1)(lab)
    assert hands.value(inspections.lost(longer_than=timedelta(seconds=10))) == 3
