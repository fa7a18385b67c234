"""The emulators for Slack, PagerDuty and Statuspage speak their vendors' documented HTTP."""

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.emulators.pagerduty import SERVICE
from runbook_nb.packs.control_plane.lab.emulators.slack import INCIDENTS
from runbook_nb.packs.control_plane.lab.emulators.statuspage import PAGE
from runbook_nb.packs.control_plane.lab.faults.response_told import forget_what_was_told

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(autouse=True)
def _nothing_told(view):
    yield
    forget_what_was_told(view.state)


def client(view, name, authorization):
    return httpx.Client(
        base_url=view.url(name), headers={"authorization": authorization}, trust_env=False
    )


@pytest.fixture
def slack(view):
    """Give Slack's own client for Python, pointed at the emulator."""
    sdk = pytest.importorskip("slack_sdk")
    token = f"xoxb-{view.lab.secret('slack.token')}"
    return sdk.WebClient(token=token, base_url=f"{view.url('slack')}/api/")


@pytest.fixture
def pagerduty(view):
    """Open PagerDuty's REST API as a user of the account."""
    token = view.lab.secret("pagerduty.token")
    with client(view, "pagerduty", f"Token token={token}") as opened:
        opened.headers["from"] = "ops-oncall@company.com"
        yield opened


@pytest.fixture
def statuspage(view):
    """Open Statuspage's management API."""
    with client(view, "statuspage", f"OAuth {view.lab.secret('statuspage.token')}") as opened:
        yield opened


def page(**more):
    service = {"id": SERVICE, "type": "service_reference"}
    return {"incident": {"type": "incident", "title": "Down", "service": service, **more}}


def test_slacks_own_client_posts_reads_changes_and_deletes(slack):
    """A form with metadata as JSON text, as the client sends it."""
    metadata = {"event_type": "told", "event_payload": {"incident": "INC-1"}}
    posted = slack.chat_postMessage(channel="#incidents", text="Down", metadata=metadata)
    assert (posted["ok"], posted["channel"]) == (True, INCIDENTS)

    slack.chat_update(channel=INCIDENTS, ts=posted["ts"], text="Up")
    shown = slack.conversations_history(channel=INCIDENTS, include_all_metadata=True)["messages"]
    assert (shown[0]["text"], shown[0]["metadata"]) == ("Up", metadata)
    assert "metadata" not in slack.conversations_history(channel=INCIDENTS)["messages"][0]

    slack.chat_delete(channel=INCIDENTS, ts=posted["ts"])
    assert slack.conversations_history(channel=INCIDENTS)["messages"] == []


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda slack: slack.chat_postMessage(channel="#nowhere", text="x"), "channel_not_found"),
        (lambda slack: slack.api_call("chat.postMessage", json={"channel": INCIDENTS}), "no_text"),
        (lambda slack: slack.chat_delete(channel=INCIDENTS, ts="1.000001"), "message_not_found"),
        (lambda slack: slack.conversations_history(channel="#incidents"), "channel_not_found"),
        (lambda slack: slack.api_call("chat.shout"), "unknown_method"),
    ],
)
def test_slacks_own_client_is_refused_in_slacks_words(slack, call, error):
    """HTTP 200 and ok false, which the client raises."""
    from slack_sdk.errors import SlackApiError

    with pytest.raises(SlackApiError) as refused:
        call(slack)
    assert refused.value.response.status_code == 200
    assert refused.value.response["error"] == error


def test_slack_wants_a_token(view):
    """None and a wrong one are told apart."""
    answers = [
        httpx.post(f"{view.url('slack')}/api/auth.test", headers=headers, trust_env=False).json()
        for headers in ({}, {"authorization": "Bearer xoxb-another"})
    ]
    assert [answer["error"] for answer in answers] == ["not_authed", "invalid_auth"]


def test_slack_limits_as_slack_does(view, slack):
    """429 with Retry-After, which the client shows."""
    from slack_sdk.errors import SlackApiError

    url = view.url("slack") + "/__lab__/outage"
    httpx.post(url, json={"limited": True}, trust_env=False)
    try:
        with pytest.raises(SlackApiError) as limited:
            slack.chat_postMessage(channel=INCIDENTS, text="x")
    finally:
        httpx.delete(url, trust_env=False)
    assert limited.value.response.headers["Retry-After"] == "30"
    assert limited.value.response["error"] == "ratelimited"


def test_pagerduty_opens_one_incident_a_key(pagerduty):
    """The second is refused while the first is open."""
    first = pagerduty.post("/incidents", json=page(incident_key="INC-1"))
    assert (first.status_code, first.json()["incident"]["status"]) == (201, "triggered")
    second = pagerduty.post("/incidents", json=page(incident_key="INC-1"))
    assert (second.status_code, second.json()["error"]["code"]) == (400, 2002)

    path = f"/incidents/{first.json()['incident']['id']}"
    note = pagerduty.post(f"{path}/notes", json={"note": {"content": "Looking"}})
    assert note.status_code == 201
    assert pagerduty.get(f"{path}/notes").json()["notes"][0]["content"] == "Looking"
    over = {"incident": {"type": "incident_reference", "status": "resolved"}}
    assert pagerduty.put(path, json=over).json()["incident"]["status"] == "resolved"
    assert pagerduty.put(path, json=over).status_code == 400
    assert pagerduty.post("/incidents", json=page(incident_key="INC-1")).status_code == 201


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"incident": {"title": ""}}, 2001, "Invalid Input Provided"),
        (page(service={"id": "PNOBODY"}), 2002, "Arguments Caused Error"),
    ],
)
def test_pagerduty_says_what_is_wrong(pagerduty, body, code, word):
    """In the error object of its REST API."""
    refused = pagerduty.post("/incidents", json=body)
    assert refused.status_code == 400
    assert (refused.json()["error"]["code"], refused.json()["error"]["message"]) == (code, word)


def test_pagerduty_wants_a_token_and_a_user(view, pagerduty):
    """Who writes is named in From."""
    with client(view, "pagerduty", "Token token=another") as stranger:
        assert stranger.get("/incidents").status_code == 401
    del pagerduty.headers["from"]
    refused = pagerduty.post("/incidents", json=page())
    assert refused.status_code == 400
    assert "From" in refused.json()["error"]["message"]
    assert pagerduty.get("/incidents").status_code == 200


def test_events_trigger_acknowledge_and_resolve_by_their_key(view, pagerduty):
    """202 says that it was taken; a wrong form is 400 with the reasons."""
    key = view.lab.secret("pagerduty.token")[:32]
    payload = {"summary": "Down", "source": "agent", "severity": "critical"}
    event = {"routing_key": key, "event_action": "trigger", "dedup_key": "k1", "payload": payload}
    url = view.url("pagerduty") + "/v2/enqueue"

    for action, status in (("trigger", "triggered"), ("acknowledge", "acknowledged")):
        taken = httpx.post(url, json={**event, "event_action": action}, trust_env=False)
        assert (taken.status_code, taken.json()["dedup_key"]) == (202, "k1")
        found = pagerduty.get("/incidents", params={"incident_key": "k1"}).json()["incidents"]
        assert [one["status"] for one in found] == [status]
    httpx.post(url, json={**event, "event_action": "resolve"}, trust_env=False)
    open_ones = pagerduty.get("/incidents", params={"statuses[]": ["triggered", "acknowledged"]})
    assert open_ones.json()["incidents"] == []

    wrong = httpx.post(url, json={**event, "routing_key": "short"}, trust_env=False)
    assert (wrong.status_code, wrong.json()["status"]) == (400, "invalid event")
    assert "32 characters" in wrong.json()["errors"][0]


def test_the_levels_on_call_are_in_order(pagerduty):
    """Primary, secondary, Incident Commander."""
    found = pagerduty.get("/oncalls").json()["oncalls"]
    assert [one["escalation_level"] for one in found] == [1, 2, 3]


def test_statuspage_shows_what_is_created_until_it_is_resolved(statuspage):
    """There is no draft; an update is added for each change."""
    path = f"/v1/pages/{PAGE}/incidents"
    wanted = {"name": "Slow", "status": "investigating", "deliver_notifications": False}
    created = statuspage.post(path, json={"incident": wanted})
    assert created.status_code == 201
    one = f"{path}/{created.json()['id']}"
    assert [found["name"] for found in statuspage.get(f"{path}/unresolved").json()] == ["Slow"]

    over = {"incident": {"status": "resolved", "body": "Over"}}
    assert len(statuspage.patch(one, json=over).json()["incident_updates"]) == 2
    assert statuspage.get(f"{path}/unresolved").json() == []
    assert statuspage.delete(one).status_code == 200
    assert statuspage.get(one).status_code == 404


def test_statuspage_refuses_what_is_wrong(view, statuspage):
    """Another key, another page, no name, an unknown status."""
    path = f"/v1/pages/{PAGE}/incidents"
    with client(view, "statuspage", "OAuth another") as stranger:
        assert stranger.get(path).status_code == 401
    assert statuspage.get("/v1/pages/another/incidents").status_code == 404
    assert statuspage.post(path, json={"incident": {}}).status_code == 422
    unknown = {"incident": {"name": "x", "status": "draft"}}
    assert statuspage.post(path, json=unknown).status_code == 422


@pytest.mark.parametrize("name", ["slack", "pagerduty", "statuspage"])
def test_no_token_is_kept(view, name):
    """What was sent can be read, its key cannot."""
    httpx.get(view.url(name) + "/x", headers={"authorization": "Bearer secret"}, trust_env=False)
    kept = httpx.get(view.url(name) + "/__lab__/requests", trust_env=False).text
    assert "secret" not in kept
