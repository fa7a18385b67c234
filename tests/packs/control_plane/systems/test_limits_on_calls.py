"""Whose limit it is, what makes it worse, and how the agent's pace is changed and taken back."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.limits import configure, crowd, refuse
from runbook_nb.packs.control_plane.lab.faults.outside import fly
from runbook_nb.packs.control_plane.systems import (
    composio_limits,
    discovery,
    pace,
    parked_missions,
    waiting_calls,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]

WINDOW = timedelta(hours=1)


@pytest.fixture
def fault(lab) -> Iterator[Callable[[str], None]]:
    """Inject by name; all is well afterwards."""
    names = ["toolkit_throttled.half"]

    def inject(name):
        names.append(name)
        FAULTS[name].inject(lab)

    yield inject
    for name in names:
        FAULTS[name].heal(lab)


def environments(lab) -> list[dict[str, str]]:
    with fly(lab) as api:
        return [machine["config"]["env"] for machine in api.get("/machines").json()]


def test_a_providers_limit_is_told_from_composios(lab, hands, fault):
    """One comes inside HTTP 200, the other as HTTP 429."""
    refuse(lab, toolkit="warehouse")
    assert hands.value(composio_limits.throttled_toolkits(window=WINDOW)) == 1
    assert hands.value(composio_limits.throttled_accounts(window=WINDOW)) == 0
    assert hands.value(composio_limits.refused_by_composio(window=WINDOW)) == 0
    FAULTS["toolkit_throttled.half"].heal(lab)
    refuse(lab, toolkit="warehouse", http_status=429)
    assert hands.value(composio_limits.throttled_toolkits(window=WINDOW)) == 0
    assert hands.value(composio_limits.refused_by_composio(window=WINDOW)) > 10


def test_one_account_is_not_a_toolkit(hands, fault):
    """The other tenant's calls to it work."""
    fault("toolkit_throttled.one_account")
    found = hands.read(composio_limits.throttled_accounts(window=WINDOW))

    assert (found.value, found.detail[0]["asked to wait, at most s"]) == (1, 30)
    assert hands.value(composio_limits.throttled_toolkits(window=WINDOW)) == 0


def test_retries_of_an_outage_are_not_those_of_a_limit(hands, fault):
    """And nine retries a refused call are."""
    fault("outage_retried")
    assert hands.value(composio_limits.retries(window=WINDOW)) == 0
    fault("retry_storm.rows")
    assert hands.value(composio_limits.retries(window=WINDOW)) == 9


def test_a_wait_that_nobody_named_cannot_be_broken(lab, hands, fault):
    """Bare refusals tell nothing of patience."""
    refuse(lab, wait_s=None)
    with pytest.raises(NoAnswerError, match="without a word"):
        hands.read(composio_limits.impatient(window=WINDOW))
    refuse(lab, toolkit="warehouse")
    assert hands.value(composio_limits.impatient(window=WINDOW)) > 10


def test_a_queue_that_is_not_made_has_no_end(hands, fault):
    """It grows, and no time is predicted from nothing."""
    assert hands.value(waiting_calls.growth(window=WINDOW)) == 0
    assert hands.value(waiting_calls.time_until_normal(window=WINDOW)) == 0
    fault("organisation_limit")
    waiting = hands.read(waiting_calls.backlog())

    assert waiting.value == sum(waiting.detail["by tenant"].values()) == 20
    assert hands.value(waiting_calls.growth(window=WINDOW)) > 0
    fault("night_without_calls")
    with pytest.raises(NoAnswerError, match="no end can be predicted"):
        hands.read(waiting_calls.time_until_normal(window=timedelta(minutes=1)))


def test_a_mission_that_is_alone_may_have_all(hands, fault):
    """It crowds nobody."""
    fault("busy_alone")
    assert hands.value(waiting_calls.crowding(window=WINDOW)) == 0


def test_discovery_is_kept_for_an_hour(hands, fault):
    """More than two within it is polling."""
    assert hands.value(discovery.repeated()) == 0
    fault("discovery_polls")
    assert hands.value(discovery.repeated()) == 1


@pytest.mark.holds("parked_missions.park_throttled")
def test_only_who_is_throttled_is_parked(hands, fault):
    """Of one tenant, those that use the toolkit."""
    fault("toolkit_throttled.one_account")
    shown = hands.rehearse(parked_missions.park_throttled(window=WINDOW))
    parked = hands.do(parked_missions.park_throttled(window=WINDOW))
    hands.undo(parked_missions.park_throttled(window=WINDOW), parked)

    assert shown == parked
    assert 0 < len(parked["parked"]) < 8


@pytest.mark.holds("parked_missions.park_crowding")
def test_the_mission_that_crowds_is_parked_alone(lab, hands, fault):
    """An urgent one is not."""
    crowd(lab)
    shown = hands.rehearse(parked_missions.park_crowding(window=WINDOW))
    parked = hands.do(parked_missions.park_crowding(window=WINDOW))
    hands.undo(parked_missions.park_crowding(window=WINDOW), parked)
    assert shown == parked
    assert len(parked["parked"]) == 1

    FAULTS["mission_crowds"].heal(lab)
    with pytest.raises(NothingDoneError, match="crowds the others any more"):
        hands.do(parked_missions.park_crowding(window=WINDOW))
    crowd(lab, priorities=("high", "urgent"))
    with pytest.raises(NothingDoneError, match="may take more than its share"):
        hands.do(parked_missions.park_crowding(window=WINDOW))


@pytest.mark.holds("pace.slow_down", "pace.stop_retries", "pace.take_back")
def test_the_pace_is_set_and_taken_back(lab, hands, fault):
    """Each undo gives the machines what they had."""
    configure(lab, COMPOSIO_ATTEMPTS="12")
    before = environments(lab)
    assert hands.value(pace.attempts()) == 12
    shown = hands.rehearse(pace.stop_retries())
    stopped = hands.do(pace.stop_retries())
    assert hands.value(pace.attempts()) == 1
    assert list(stopped["before"].values()) == list(shown["now"].values())
    hands.undo(pace.stop_retries(), stopped)
    assert environments(lab) == before

    hands.rehearse(pace.slow_down(pause_s=2.5))
    slowed = hands.do(pace.slow_down(pause_s=2.5))
    assert [one["COMPOSIO_PAUSE_S"] for one in environments(lab)] == ["2.5"]
    assert hands.value(pace.left_behind(window=timedelta(minutes=15))) == 1
    refuse(lab)
    assert hands.value(pace.left_behind(window=timedelta(minutes=15))) == 0
    hands.rehearse(pace.take_back())
    taken = hands.do(pace.take_back())
    assert ["COMPOSIO_PAUSE_S" in one for one in environments(lab)] == [False]
    hands.undo(pace.take_back(), taken)
    hands.undo(pace.slow_down(pause_s=2.5), slowed)
    assert environments(lab) == before
    fault("pace_left")


def test_the_pause_stays_while_little_is_left(hands, fault):
    """Others use the limit too."""
    fault("organisation_limit.near")
    with pytest.raises(NothingDoneError, match="The pause stays"):
        hands.do(pace.take_back())
