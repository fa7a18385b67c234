"""The past of heartbeats and of the streams that carried them to a browser."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.missions import Mission
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage

BEAT_EVERY = timedelta(seconds=30)

# The interface reports its figures once a stream has seen this many beats.
_SAMPLES = 10

# The one mission of some two hundred whose stream the browser left: the target is below 2 %.
_LEFT = 110

# The interface cuts what it reports as p50 and p95 at this many milliseconds, but not p99.
_REPORTED_AT_MOST_MS = 5000


def token_usage(mission: Mission, *, beats: int) -> int:
    """Return the tokens that a session has used after so many beats: below 20 000."""
    return 3200 + 17 * (mission.number % 50) + 260 * beats


def write_beats(story: Story, *, start: datetime, end: datetime, state_size_bytes: int) -> int:
    """Write a beat every 30 s of a run and return the last one's lag in milliseconds."""
    lags: list[int] = []
    due = start + BEAT_EVERY
    while due < end:
        # Log-normal with a p95 near 1.2 s: the target is 5 s, the alert 8 s.
        lag_ms = story.chance.whole(median=450, sigma=0.6, low=100, high=2500)
        lags.append(lag_ms)
        story.tell(
            "session_heartbeat",
            {
                "agent_name": "executor",
                "lag_ms": lag_ms,
                "token_usage": token_usage(story.mission, beats=len(lags)),
                "session_state_size_bytes": state_size_bytes,
            },
            at=due + timedelta(milliseconds=lag_ms),
            stage=Stage.EXECUTE,
            agent="executor",
        )
        due += BEAT_EVERY
    if len(lags) >= _SAMPLES:
        _report(story, sorted(lags[:_SAMPLES]), at=start + BEAT_EVERY * (_SAMPLES + 0.2))
    return lags[-1] if lags else 0


def _report(story: Story, lags: list[int], *, at: datetime) -> None:
    story.tell(
        "streaming_heartbeat_metrics",
        {
            "p50_ms": min(lags[len(lags) // 2], _REPORTED_AT_MOST_MS),
            "p95_ms": min(lags[-1], _REPORTED_AT_MOST_MS),
            "p99_ms": lags[-1],
            "sample_size": len(lags),
        },
        at=at,
        stage=Stage.EXECUTE,
    )


def write_stream(story: Story, *, connected_at: datetime, disconnected_at: datetime) -> None:
    """Write a stream of the workspace that was opened and closed."""
    session_id = story.chance.token("ws")
    left = story.mission.number == _LEFT
    story.rows.add(
        "workspace_stream_sessions",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "tenant_id": story.mission.tenant.id,
            "session_id": session_id,
            "stage": Stage.EXECUTE,
            "sampling_mode": "full",
            "telemetry_disabled": False,
            "metadata": {"ended_by": "client" if left else "execution_complete"},
            "connected_at": connected_at,
            "disconnected_at": disconnected_at,
        },
    )
    story.tell(
        "workspace_stream_open",
        {
            "session_id": session_id,
            "stage": Stage.EXECUTE,
            "telemetry_disabled": False,
            "sampling_mode": "full",
        },
        at=connected_at,
        stage=Stage.EXECUTE,
    )
