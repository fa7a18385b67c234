"""The ui's streams beat by themselves, whatever becomes of the agent."""

import json
import signal
from uuid import uuid4

import httpx
import pytest

from runbook_nb.packs.control_plane.lab.ui_streams import heartbeat_metrics

pytestmark = [pytest.mark.lab, pytest.mark.slow]


def events(answer):
    """Yield each event of a stream as its name and payload."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def until_event(stream, wanted, *, at_most=60):
    """Read up to an event of that name and return its payload."""
    for name, payload in (next(stream) for _ in range(at_most)):
        if name == wanted:
            return payload
    pytest.fail(f"No {wanted} among {at_most} events.")


def test_there_is_a_page(view):
    """A page load is the only health check the ui has."""
    assert httpx.get(view.url("ui") + "/", trust_env=False).status_code == 200


def test_a_stream_forbids_buffering(view):
    """The headers say so to every proxy on the way."""
    with view.stream("ui") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-cache, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"


def test_a_stream_begins_at_once(view):
    """The first event does not wait for the agent or for a beat."""
    with view.stream("ui") as answer:
        assert next(events(answer))[0] == "execution_started"


def test_a_stream_relays_what_the_agent_does(view):
    """Steps come under their own name, anything else as a message."""
    with view.stream("ui") as answer:
        stream = events(answer)
        assert until_event(stream, "message")["type"] == "agent_beat"
        assert until_event(stream, "execution_step_completed")["status"] == "success"


def test_a_beat_of_the_proxy_says_nothing_of_the_agent(view):
    """The payload names the mission and the tenant; there is no lag in it."""
    with view.stream("ui") as answer:
        assert until_event(events(answer), "session_heartbeat").keys() == {
            *("mission_id", "tenant_id"),
        }


def test_a_stream_cannot_be_resumed(view):
    """No event has an id and no retry is set, so a client can only start anew."""
    with view.stream("ui") as answer:
        lines = answer.iter_lines()
        read = [next(lines) for _ in range(12)]
    assert {line.partition(":")[0] for line in read} == {"event", "data", ""}


def test_the_proxy_beats_on_while_the_agent_hangs(view, harmed_agent):
    """The platform's trap: these beats are no sign of a living agent."""
    with view.stream("ui") as answer:
        stream = events(answer)
        until_event(stream, "message")
        view.signal_agent(signal.SIGSTOP)
        # What the agent sent before is stored still; from then on the beats are the proxy's alone.
        until_event(stream, "session_heartbeat")
        since = view.now()
        for _ in range(3):
            until_event(stream, "session_heartbeat")
        assert view.beating(since) == 0
        view.signal_agent(signal.SIGCONT)


def test_a_dead_agent_is_told_and_tried_again(view, harmed_agent):
    """One error when the stream breaks, one when the agent cannot be reached, and beats go on."""
    with view.stream("ui") as answer:
        stream = events(answer)
        until_event(stream, "message")
        view.signal_agent(signal.SIGKILL)
        assert until_event(stream, "error")["message"] == "terminated unexpectedly"
        assert until_event(stream, "error")["message"] == "unable to reach execution service"
        until_event(stream, "session_heartbeat")
        view.fly.post(f"/machines/{view.machines()[0]['id']}/start")
        assert until_event(stream, "message")["type"] == "agent_beat"


def test_a_stream_is_kept_as_open_and_then_as_left(view):
    """The row tells when the browser came, when it went, and that it went by itself."""
    with view.stream("ui", session_id="tab-of-a-test", sampling="reduced") as answer:
        # Held on to: a reader that is thrown away closes the stream.
        stream = events(answer)
        next(stream)
        assert view.eventually(lambda: len(view.streams_of("tab-of-a-test")) == 1)
        assert view.streams_of("tab-of-a-test")[0]["disconnected_at"] is None

    def left():
        return view.streams_of("tab-of-a-test")[0]["disconnected_at"] is not None

    assert view.eventually(left)
    row = view.streams_of("tab-of-a-test")[0]
    assert (row["sampling_mode"], row["metadata"]["ended_by"]) == ("reduced", "client")
    assert row["metadata"].keys() <= {"ended_by", "revision_id"}


def test_a_beat_of_the_proxy_is_a_row_without_agent_and_lag(view):
    """Gaps over all session_heartbeat rows therefore never grow when the agent is dead."""
    rows = view.rows(
        "SELECT context FROM telemetry_events WHERE event_type = 'session_heartbeat' "
        "AND agent_name IS NULL AND created_at > clock_timestamp() - interval '3 seconds'"
    )
    assert rows
    assert not any("lag_ms" in row["context"] for row in rows)


def test_a_run_ends_its_stream(view):
    """The proxy says that it is complete after the agent has said so."""
    body = {"mission_id": view.mission(), "play_id": str(uuid4())}
    asked = {**body, "steps": [{"tool": "SLACK_SEND_MESSAGE"}]}
    url = view.url("ui") + "/api/execution/run?session_id=tab-of-a-run"
    with httpx.stream("POST", url, json=asked, timeout=10, trust_env=False) as answer:
        names = [name for name, _ in events(answer)]

    assert names.count("execution_complete") == 2
    assert view.eventually(
        lambda: (
            [row["metadata"].get("ended_by") for row in view.streams_of("tab-of-a-run")]
            == ["execution_complete"]
        )
    )


@pytest.mark.parametrize(
    ("mission", "code"), [("not-a-uuid", 400), ("00000000-0000-4000-8000-000000000000", 403)]
)
def test_a_stream_of_no_mission_is_refused(view, mission, code):
    """The answer is an error, not an empty stream."""
    asked = {"mission_id": mission}
    url = view.url("ui") + "/api/stream/execution"
    assert httpx.get(url, params=asked, trust_env=False).status_code == code


def test_the_metrics_hide_what_is_slow():
    """The platform clamps p50 and p95 to five seconds, and p99 not."""
    assert heartbeat_metrics([9000.0] * 10) == {
        "p50_ms": 5000,
        "p95_ms": 5000,
        "p99_ms": 9000.0,
        "sample_size": 10,
    }


def test_browsers_stay_connected_while_all_is_well(view):
    """Each live mission is watched by one tab; not one has had to come back."""
    tabs = view.rows(
        "SELECT count(*) AS opened, count(disconnected_at) AS closed "
        "FROM workspace_stream_sessions WHERE session_id = 'tab-' || left(mission_id::text, 8)"
    )
    assert tabs == [{"opened": 8, "closed": 0}]


def connect(view, thread):
    url = f"{view.url('edge')}/api/copilotkit/agent/control_plane_coordinator/connect"
    return httpx.post(url, json={"threadId": thread}, timeout=5, trust_env=False)


def test_a_tab_that_connects_is_sent_the_stored_state(view):
    """The AG-UI events of a whole run, bare of event names, without the agent's claim."""
    mission = view.mission()
    told = [
        json.loads(line.removeprefix("data: "))
        for line in connect(view, mission).text.splitlines()
        if line
    ]

    assert [event["type"] for event in told] == [
        *("RUN_STARTED", "STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED")
    ]
    assert told[0]["threadId"] == mission
    assert told[1]["snapshot"]["mission_id"] == mission
    assert "runner" not in told[1]["snapshot"]


@pytest.mark.parametrize(
    ("thread", "code"), [("no-uuid", 400), ("00000000-0000-4000-8000-000000000000", 404)]
)
def test_a_thread_that_is_none_has_no_session(view, thread, code):
    """The words are those of the platform."""
    refused = connect(view, thread)

    assert refused.status_code == code
    assert refused.json()["error"] in {"threadId is required", "Session not found"}
