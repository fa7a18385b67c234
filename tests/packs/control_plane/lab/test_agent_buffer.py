"""The agent's memory of events: a refused write makes it hold all, until it is flushed."""

import httpx
import pytest

pytestmark = [pytest.mark.lab, pytest.mark.slow]

GRANT = "GRANT INSERT ON telemetry_events TO service_role"
REVOKE = "REVOKE INSERT ON telemetry_events FROM service_role"


def buffer(view, after=0):
    url = f"{view.url('agent')}/telemetry/buffer?after={after}"
    return httpx.get(url, trust_env=False).json()


def flush(view):
    return httpx.post(f"{view.url('agent')}/telemetry/flush", trust_env=False)


@pytest.fixture
def degraded(view):
    """Refuse one write, and allow the next ones."""
    view.execute(REVOKE)
    try:
        assert view.eventually(lambda: buffer(view)["degraded"], within_s=5)
    finally:
        view.execute(GRANT)
    yield
    assert flush(view).json()["depth"] == 0


def test_a_refused_write_is_remembered_and_sessions_beat_on(view, degraded):
    """The right is there again, and the agent still holds every event."""
    since = view.now()
    assert view.eventually(lambda: buffer(view)["depth"] >= 16, within_s=5)
    assert view.beats(since) == [] or all(beat["agent_name"] is None for beat in view.beats(since))
    silent = "SELECT count(*) AS n FROM mission_sessions WHERE status = 'active' "
    silent += "AND last_heartbeat_at < clock_timestamp() - interval '3 s'"
    assert view.rows(silent)[0]["n"] == 0
    shown = buffer(view)
    assert shown["machine"] == view.machines()[0]["id"]
    assert shown["events"][0]["event_type"] == "session_heartbeat"
    assert len(buffer(view, after=shown["depth"] - 1)["events"]) >= 1


def test_a_flush_stores_each_event_once_with_its_own_time(view, degraded):
    """Its id is known before, so storing it twice stores it once."""
    assert view.eventually(lambda: buffer(view)["depth"] >= 8, within_s=5)
    held = buffer(view)["events"]
    stored = flush(view).json()
    assert stored["stored"] >= len(held)
    assert stored["degraded"] is None
    rows = view.rows(
        "SELECT id::text, created_at FROM telemetry_events WHERE id = ANY(%(ids)s::uuid[])",
        ids=[event["id"] for event in held],
    )
    assert {row["id"]: str(row["created_at"]) for row in rows} == {
        event["id"]: event["created_at"] for event in held
    }
