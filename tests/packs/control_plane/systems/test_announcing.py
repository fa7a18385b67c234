"""Announcing an incident on the real lab: row, page, post and status page; once, and taken back."""

from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from runbook_nb.errors import ActionError
from runbook_nb.incident.check import read_evidence
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.response_told import forget_what_was_told
from runbook_nb.packs.control_plane.systems import incident_row, pagerduty, slack, statuspage
from runbook_nb.probes.combine import combine
from runbook_nb.text.durations import minutes, seconds
from runbook_nb.timeline.store.embedded.files import read_secret

WINDOW = seconds(300)
INCIDENT = "INC-77"
OUTAGE = "/__lab__/outage"


@pytest.fixture
def storm(lab):
    """Three of eight live missions are throttled: a SEV2."""
    FAULTS["limits_storm"].inject(lab)
    yield lab
    FAULTS["limits_storm"].heal(lab)


@pytest.fixture
def told(lab):
    """Nothing is told before the test, and nothing after."""
    forget_what_was_told(lab)
    yield lab
    forget_what_was_told(lab)


@pytest.fixture
def slack_down(lab):
    """Slack answers with a page of HTML."""
    url = f"http://127.0.0.1:{lab.ports['slack']}{OUTAGE}"
    outage = {"path": "/api", "status": 503, "body": "<html>down</html>"}
    httpx.post(url, json=outage, trust_env=False).raise_for_status()
    yield
    httpx.delete(url, trust_env=False)


def words(action):
    return {"incident": INCIDENT, "component": "composio", "runbook": "rate_limit_mitigation"} | {
        "window": WINDOW
    }


CHANNELS = {
    "row": (
        incident_row.opened(incident=INCIDENT, component="composio", window=WINDOW),
        incident_row.undeclared(incident=INCIDENT, window=WINDOW),
    ),
    "page": (
        pagerduty.page(**words("page")),
        pagerduty.unpaged(incident=INCIDENT, window=WINDOW),
    ),
    "post": (
        slack.announce(**words("post")),
        slack.untold(incident=INCIDENT, window=WINDOW),
    ),
    "status page": (
        statuspage.publish_quietly(window=WINDOW),
        statuspage.unpublished(window=WINDOW),
    ),
}


@pytest.mark.parametrize(
    "channel",
    [
        pytest.param(channel, marks=pytest.mark.holds(action.name))
        for channel, (action, _) in CHANNELS.items()
    ],
)
def test_an_announcement_is_rehearsed_done_once_and_taken_back(storm, hands, channel):
    """The rehearsal changes nothing, a second time sends nothing, and the undo is seen."""
    action, missing = CHANNELS[channel]
    rehearsed = hands.rehearse(action)
    assert hands.value(missing) == 1

    done = hands.do(action)
    assert hands.value(missing) == 0
    assert said(done) in said(rehearsed)
    hands.do(action)
    assert told_times(storm, hands, channel) == 1

    hands.undo(action, done)
    assert hands.value(missing) == 1


def said(value):
    """Return what names the announcement: the row's severity, the title, the text, the name."""
    if "written" in value:
        return f"{value['written'][0]['event_type']} {value['written'][0]['context']}"
    return str(value.get("title") or value.get("text") or value.get("name") or value)


def told_times(lab, hands, channel):
    if channel == "row":
        return len(hands.read(incident_row.duplicates()).detail)
    if channel == "page":
        return len(hands.read(pagerduty.unpaged(incident=INCIDENT, window=WINDOW)).detail["pages"])
    if channel == "post":
        return len(hands.read(slack.untold(incident=INCIDENT, window=WINDOW)).detail["posts"])
    return len(hands.read(statuspage.unpublished(window=WINDOW)).detail["on the page"])


def test_a_row_can_be_declared_again_after_it_was_taken_back(storm, hands):
    """Rows cannot be deleted, so each is answered by another."""
    action, missing = CHANNELS["row"]
    hands.undo(action, hands.do(action))
    assert hands.do(action)["written"]
    assert hands.value(missing) == 0


def test_the_row_that_everybody_can_read_names_nobody(storm, hands):
    """Without a login it is read, and it holds no mission, tenant or secret."""
    hands.do(CHANNELS["row"][0])
    with psycopg.connect(read_secret(storm.folder, "postgres.dsn")) as connection:
        names = [row[0] for row in connection.execute("select name from tenants").fetchall()]
        connection.execute("set local role anon")
        row = connection.execute(
            "select context, tenant_id, mission_id from telemetry_events "
            "where context ->> 'bd_issue' = %s",
            (INCIDENT,),
        ).fetchone()
    assert row[1:] == (None, None)
    assert row[0]["mission_ids"] == []
    assert not [name for name in names if name in str(row[0])]


def test_no_policy_lets_a_declared_row_be_deleted(storm, hands):
    """The service claim inserts it, an ordinary caller does not, and neither deletes it."""
    hands.do(CHANNELS["row"][0])
    with psycopg.connect(read_secret(storm.folder, "postgres.dsn")) as connection:
        connection.execute("set local role authenticated")
        connection.execute("""set local request.jwt.claims = '{"roles": ["service"]}'""")
        gone = connection.execute(
            "delete from telemetry_events where event_type = 'incident_opened'"
        )
        assert gone.rowcount == 0
        connection.execute("""set local request.jwt.claims = '{"roles": ["analytics"]}'""")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("insert into telemetry_events (event_type) values ('x')")


def test_customers_are_not_told_of_a_sev3(told, hands):
    """The status page is for SEV1 and SEV2."""
    FAULTS["login_expired"].inject(told)
    try:
        action = statuspage.publish_quietly(window=WINDOW)
        assert "SEV3" in hands.rehearse(action)["not published"]
        assert "SEV3" in hands.do(action)["not published"]
        assert hands.value(statuspage.unpublished(window=WINDOW)) == 0
        assert hands.rehearse(CHANNELS["page"][0])["urgency"] == "low"
    finally:
        FAULTS["login_expired"].heal(told)


def test_the_status_page_does_not_call_a_leak_slow(told, hands):
    """Of a leak, customers are told by people."""
    FAULTS["secret_in_events"].inject(told)
    try:
        assert hands.value(statuspage.unpublished(window=WINDOW)) == 0
        assert "SEV1" in hands.do(statuspage.publish_quietly(window=WINDOW))["not published"]
    finally:
        FAULTS["secret_in_events"].heal(told)


def test_a_dead_slack_does_not_keep_people_from_being_paged(storm, slack_down, hands):
    """The others are done, the failure is named, and once Slack is back only it is missing."""
    everywhere = combine(*(action for action, _ in CHANNELS.values()))
    rehearsed = hands.rehearse(everywhere)
    assert "could not be rehearsed" in rehearsed["slack.announce"]
    with pytest.raises(ActionError, match=r"slack\.announce.*Done: incident_row\.opened, pager"):
        hands.do(everywhere)
    assert hands.value(CHANNELS["page"][1]) == 0
    assert hands.value(CHANNELS["status page"][1]) == 0


def test_everything_together_is_done_twice_as_once_and_taken_back(storm, hands):
    """The undo runs backwards through all four."""
    everywhere = combine(*(action for action, _ in CHANNELS.values()))
    done = hands.do(everywhere)
    again = hands.do(everywhere)
    assert again["incident_row.opened"] == {"written": []}
    assert again["pagerduty.page"] == {"paged before": done["pagerduty.page"]["id"]}
    assert again["slack.announce"] == {"told before": done["slack.announce"]["ts"]}
    assert all(hands.value(missing) == 0 for _, missing in CHANNELS.values())

    hands.undo(everywhere, done)
    assert all(hands.value(missing) == 1 for _, missing in CHANNELS.values())


@pytest.fixture
def left_open(lab):
    """An incident of two hours ago, declared and paged, of which nothing is left."""
    FAULTS["incident_left_open"].inject(lab)
    yield lab
    FAULTS["incident_left_open"].heal(lab)


@pytest.mark.holds("pagerduty.resolve", "incident_row.resolved", undo=False)
def test_an_incident_that_is_over_is_closed_everywhere(left_open, hands):
    """Twice is safe."""
    close = combine(
        statuspage.resolve(),
        pagerduty.resolve(),
        slack.resolved(after=seconds(0)),
        incident_row.resolved(cause="a test"),
    )
    assert hands.value(incident_row.left_open(window=WINDOW)) == 1
    assert hands.value(incident_row.past_escalation()) == 1
    rehearsed = hands.rehearse(close)
    assert hands.value(incident_row.left_open(window=WINDOW)) == 1

    done = hands.do(close)
    assert len(done["incident_row.resolved"]["written"]) == 1
    assert len(rehearsed["incident_row.resolved"]["written"]) == 1
    assert [one.partition(": resolved")[0] for one in done["pagerduty.resolve"]["resolved"]] == (
        rehearsed["pagerduty.resolve"]["would resolve"]
    )
    assert hands.value(incident_row.left_open(window=WINDOW)) == 0
    assert hands.value(incident_row.past_escalation()) == 0
    assert hands.do(close)["incident_row.resolved"] == {"written": []}


@pytest.mark.holds("slack.resolved", "statuspage.resolve")
def test_slack_and_statuspage_are_closed_and_opened_again(storm, hands):
    """What they hold can be taken back; PagerDuty and the rows cannot."""
    hands.do(CHANNELS["post"][0])
    hands.do(CHANNELS["status page"][0])
    over, quiet = slack.resolved(after=seconds(0)), statuspage.resolve()
    assert len(hands.rehearse(over)["would post"]) == 1
    assert len(hands.rehearse(quiet)["would resolve"]) == 1

    posted, resolved = hands.do(over), hands.do(quiet)
    assert hands.do(over) == []
    assert hands.value(statuspage.unpublished(window=WINDOW)) == 1
    hands.undo(quiet, resolved)
    hands.undo(over, posted)
    assert hands.value(statuspage.unpublished(window=WINDOW)) == 0
    assert len(hands.rehearse(over)["would post"]) == 1


@pytest.mark.holds("slack.closed", undo=False)
def test_a_closed_incident_is_told_in_the_words_of_the_rehearsal(told, hands):
    """The channel keeps the head of the record, which is why nothing takes it back."""
    action = slack.closed(incident=INCIDENT, text="INC-77 is closed: 0b5f")
    rehearsed = hands.rehearse(action)
    done = hands.do(action)

    assert rehearsed == {"would post": "INC-77 is closed: 0b5f", "channel": done["channel"]}
    posts = hands.read(slack.untold(incident=INCIDENT, window=WINDOW)).detail["posts"]
    assert [post["text"] for post in posts] == [rehearsed["would post"]]


def test_an_incident_without_news_is_overdue(storm, hands):
    """The clock is the age of the newest post."""
    hands.do(CHANNELS["post"][0])
    assert hands.value(slack.updates_overdue(after=minutes(15))) == 0
    assert hands.value(slack.updates_overdue(after=seconds(0))) == 1


def test_somebody_is_on_call(lab, hands):
    """Primary, secondary and the Incident Commander."""
    assert hands.value(pagerduty.on_call()) == 3


def test_two_incidents_of_one_component_are_duplicates(storm, hands):
    """Of two components they are not."""
    hands.do(CHANNELS["row"][0])
    hands.do(incident_row.opened(incident="INC-78", component="agent", window=WINDOW))
    assert hands.value(incident_row.duplicates()) == 0
    hands.do(incident_row.opened(incident="INC-79", component="agent", window=WINDOW))
    assert hands.value(incident_row.duplicates()) == 1


@pytest.mark.parametrize("partner", ["slack", "pagerduty", "statuspage"])
@pytest.mark.parametrize(
    "outage",
    [
        {"status": 200, "body": "<html>sign in</html>", "headers": {"content-type": "text/html"}},
        {"status": 503, "body": "down"},
        {"cut": True},
    ],
    ids=["html", "503", "cut"],
)
def test_a_partner_that_does_not_answer_rightly_is_no_reading(lab, hands, partner, outage):
    """The verb makes of it an unknown with the reason."""
    probe = {"slack": CHANNELS["post"][1], "pagerduty": CHANNELS["page"][1]}.get(
        partner, CHANNELS["status page"][1]
    )
    url = f"http://127.0.0.1:{lab.ports[partner]}{OUTAGE}"
    httpx.post(url, json=outage, trust_env=False).raise_for_status()
    try:
        evidence = read_evidence(probe, hands.environment, read_at=datetime.now(UTC))
    finally:
        httpx.delete(url, trust_env=False)
    assert evidence.answer is None
    assert evidence.reason
