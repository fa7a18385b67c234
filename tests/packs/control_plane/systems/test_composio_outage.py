"""What is read of Composio and of the calls to it, and missions that are parked and go on."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from runbook_nb.errors import ActionError, NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.composio_hands import leave_calls
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import break_composio
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.systems import (
    composio_api,
    composio_executions,
    composio_limits,
    composio_page,
    parked_missions,
    partner_calls,
)

pytestmark = [pytest.mark.lab, pytest.mark.slow]

WINDOW = timedelta(hours=1)
STOOD = """
select m.id::text, m.status::text, m.readiness::text, st.status::text, st.blocking_reason,
       jsonb_array_length(coalesce(s.state -> 'waiting_actions', '[]'))
from missions m
join mission_stage_status st on st.mission_id = m.id and st.stage = 'Execute'
join mission_sessions s on s.mission_id = m.id and s.state ? 'runner'
order by m.id
"""
TIMES_DONE = """
select outcome ->> 'action_id', count(*)
from composio_audit_events
where status = 'success' and outcome ->> 'action_id' is not null
  and occurred_at > now() - interval '1 minute'
group by 1
"""


def rows(lab, question):
    with superuser(lab) as connection:
        return connection.execute(question).fetchall()


@pytest.fixture
def fault(lab) -> Iterator[str]:
    """Name what is injected; all is well afterwards."""
    names = []

    def inject(name):
        names.append(name)
        FAULTS[name].inject(lab)

    yield inject
    for name in names or ["composio_away"]:
        FAULTS[name].heal(lab)


def test_an_answer_is_the_apis_own(lab, hands, fault):
    """A refusal is one; a page, another service's JSON and a cut answer are none."""
    assert hands.value(composio_api.unanswered()) == 0
    fault("key_refused.forbidden")
    assert hands.value(composio_api.unanswered()) == 0
    FAULTS["key_refused.forbidden"].heal(lab)
    fault("composio_page.other_json")
    said = hands.read(composio_api.unanswered())
    assert (said.value, said.detail[0]["came"]) == (100, "not a list of toolkits")


@pytest.mark.parametrize(
    ("url", "came"),
    [
        ("http://127.0.0.1:9", "refused"),
        ("http://backend.composio.invalid", "name unknown"),
        ("https://127.0.0.1:{port}", "TLS failed"),
    ],
)
def test_the_way_there_fails_by_its_name(lab, hands, url, came):
    """Nobody listens, the name is unknown, the certificate is none."""
    hands.environment._systems["composio"]["url"] = url.format(port=lab.ports["composio"])
    said = hands.read(composio_api.unanswered())

    assert (said.value, {one["came"] for one in said.detail}) == (100, {came})


def test_without_a_way_out_nothing_is_known_of_composio(hands):
    """The controls tell our own network from theirs."""
    for system in ("composio", "composio_status", "slack", "vercel", "pagerduty"):
        hands.environment._systems[system]["url"] = "http://127.0.0.1:9"
    for probe in (composio_api.unanswered(), composio_page.agreement()):
        with pytest.raises((NoAnswerError, httpx.ConnectError)):
            hands.read(probe)


def test_what_is_not_answered_has_no_time_and_no_limit(hands, fault):
    """No reading, no opinion."""
    fault("composio_away.young")
    for probe in (
        composio_api.answer_time(),
        composio_api.missing_toolkits(),
        composio_limits.headroom(),
    ):
        with pytest.raises(NoAnswerError):
            hands.read(probe)


def test_one_tenant_is_not_hidden_by_another(lab, hands, fault):
    """The toolkit works for the other tenant, so it fails alone and for one."""
    fault("toolkit_away.one_tenant")
    failing = hands.read(partner_calls.failing_alone(window=WINDOW))

    assert (failing.value, failing.detail[0]["toolkit"]) == (1, "warehouse")
    assert hands.value(partner_calls.failing_together(window=WINDOW)) == 0


def test_no_calls_and_calls_of_the_future_tell_nothing(lab, hands, fault):
    """Silence is no health, and a clock that is off makes every age wrong."""
    fault("quiet_night")
    with pytest.raises(NoAnswerError, match="nothing can be told"):
        hands.read(partner_calls.failing_alone(window=WINDOW))
    FAULTS["quiet_night"].heal(lab)
    fault("clock_ahead")
    with pytest.raises(NoAnswerError, match="a clock is off"):
        hands.read(partner_calls.never_left(window=WINDOW))


@pytest.mark.holds("parked_missions.park_all")
def test_all_missions_are_parked_and_stand_again_as_they_stood(lab, hands, fault):
    """What waits in them is kept; the undo leaves no trace."""
    fault("composio_away")
    before = rows(lab, STOOD)
    shown = hands.rehearse(parked_missions.park_all(window=WINDOW))
    parked = hands.do(parked_missions.park_all(window=WINDOW))
    after = rows(lab, STOOD)

    assert parked == shown
    assert parked["calls that wait"] == sum(row[5] for row in before) == 20
    assert [row["place"] for row in parked["parked"]] == [*range(1, 9)]
    assert {row[1:4] for row in after} == {("blocked", "degraded", "blocked")}
    assert [row[5] for row in after] == [row[5] for row in before]
    assert hands.value(parked_missions.exposed(window=WINDOW)) == 0
    with pytest.raises(NothingDoneError, match="No mission"):
        hands.do(parked_missions.park_all(window=WINDOW))
    hands.undo(parked_missions.park_all(window=WINDOW), parked)
    assert rows(lab, STOOD) == before


def test_nothing_is_parked_while_missions_call_well(lab, hands, fault):
    """Composio answers them, and not us: their calls are the second sign."""
    leave_calls(lab, status="success", code=None, http_status=200)
    fault("composio_away.young")
    with pytest.raises(NothingDoneError, match="it answers them and not us"):
        hands.do(parked_missions.park_all(window=WINDOW))


@pytest.mark.holds("parked_missions.park_failing")
def test_only_missions_that_use_what_fails_are_parked(lab, hands, fault):
    """The others go on."""
    fault("toolkit_away.one_tenant")
    parked = hands.do(parked_missions.park_failing(window=WINDOW))
    assert 0 < len(parked["parked"]) < 8
    hands.undo(parked_missions.park_failing(window=WINDOW), parked)
    shown = hands.rehearse(parked_missions.park_failing(window=WINDOW))

    assert shown == parked
    FAULTS["toolkit_away.one_tenant"].heal(lab)
    with pytest.raises(NothingDoneError, match="fail any more"):
        hands.do(parked_missions.park_failing(window=WINDOW))


@pytest.mark.holds("parked_missions.resume", undo=False)
def test_parked_missions_go_on_and_nothing_is_done_twice(lab, hands, fault):
    """Three calls were carried out unheard: recorded, not sent; each other call is sent once."""
    fault("composio_back")
    assert hands.value(composio_executions.unrecorded(window=WINDOW)) == 3
    shown = hands.rehearse(parked_missions.resume())["would resume, in this order"]
    resumed = hands.do(parked_missions.resume())["resumed"]

    assert [one["mission"] for one in resumed] == [one["mission"] for one in shown]
    assert sum(len(one["recorded"]) for one in resumed) == 3
    assert sum(len(one["sent"]) for one in resumed) == 9
    assert {count for _, count in rows(lab, TIMES_DONE)} == {1}
    assert len(rows(lab, TIMES_DONE)) == 12
    assert hands.value(composio_executions.unrecorded(window=WINDOW)) == 0
    assert {row[1:] for row in rows(lab, STOOD)} == {
        ("in_progress", "ready", "in_progress", None, 0)
    }


def test_a_mission_that_fails_again_stays_parked_with_those_after_it(lab, hands, fault):
    """Its calls wait on; nothing is lost."""
    fault("composio_back")
    break_composio(lab, path="/api/v3.1/tools", status=503)
    with pytest.raises(ActionError, match="failed again"):
        hands.do(parked_missions.resume())
    waiting = sum(row[5] for row in rows(lab, STOOD))

    assert waiting == 12 - 1  # One was carried out before, and is recorded now.
    assert {row[1] for row in rows(lab, STOOD)} >= {"blocked"}


def test_nothing_goes_on_while_composio_is_away(lab, hands, fault):
    """The circuit stays open."""
    fault("composio_back.still_away")
    assert hands.value(parked_missions.due()) == 0
    with pytest.raises(NothingDoneError, match="three times in a row"):
        hands.do(parked_missions.resume())


def test_the_page_is_compared_and_not_believed(hands, fault):
    """It may say well while nothing answers, and the other way round."""
    assert hands.value(composio_page.agreement()) == "agrees"
    fault("page_says_trouble")
    assert hands.value(composio_page.agreement()) == "says trouble"


def test_a_limit_is_the_organisations(hands, fault):
    """What others use is gone for us."""
    assert hands.value(composio_limits.headroom()) > 90
    fault("limit_used_up.nearly")
    assert hands.value(composio_limits.headroom()) < 5
    fault("limit_used_up.bare")
    assert hands.value(composio_limits.headroom()) == 0
