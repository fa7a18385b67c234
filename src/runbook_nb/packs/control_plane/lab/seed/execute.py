"""Execute: tool calls with their audit rows, heartbeats, and the stream that shows them."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.sessions import (
    session_state,
    state_size_bytes,
    write_executor_session,
    write_live_session,
)
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.streams import write_beats, write_stream
from runbook_nb.packs.control_plane.lab.seed.undo import write_undo
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage, Toolkit

# A live mission's agent takes over here: the seed adds nothing younger.
HANDOVER = timedelta(seconds=60)

# Old enough that no check of recent calls sees a failure.
_LAST_FAILED_CALL = timedelta(days=2)

# The step of a run whose call may fail: by then the run is under way.
_MAY_FAIL = 2


def write_execute(story: Story) -> None:
    """Write a run, from the opened stream to the undo that it leaves available."""
    span = story.mission.spans[Stage.EXECUTE]
    steps = _step_times(story)
    story.tell(
        "execution_started",
        {
            "play_id": story.mission.play_ids[0],
            "action_count": len(steps),
            "estimated_duration_seconds": 300,
        },
        at=span.start + timedelta(milliseconds=200),
        stage=Stage.EXECUTE,
        agent="executor",
    )
    for number, at in enumerate(steps, start=1):
        _write_step(story, number, at=at, may_fail=number == _MAY_FAIL)
    if span.end is None:
        # No past beats here: between the last of them and the agent's first one there would be
        # a gap of more than a minute, and another cadence.
        write_live_session(story)
    else:
        _write_past_run(story, start=span.start, end=span.end)


def _write_past_run(story: Story, *, start: datetime, end: datetime) -> None:
    write_stream(story, connected_at=start, disconnected_at=end)
    size = state_size_bytes(session_state(story, beat_at=end))
    lag_ms = write_beats(story, start=start, end=end, state_size_bytes=size)
    write_executor_session(story, lag_ms=lag_ms)
    if story.mission.reached(Stage.REFLECT):
        write_undo(story, available_at=end)
        return
    story.tell(
        "validator_alert_raised",
        {
            "severity": "high",
            "safeguard_id": story.safeguard_id,
            "auto_fix_attempted": True,
            "auto_fix_status": "failed",
        },
        at=end,
        stage=Stage.EXECUTE,
        agent="validator",
        level="error",
    )


def _step_times(story: Story) -> list[datetime]:
    """Spread the steps over the run; a live one has had a step every 45 s until the handover."""
    span = story.mission.spans[Stage.EXECUTE]
    end = span.end or story.now - HANDOVER - timedelta(seconds=5)
    count = story.chance.random.randint(3, 5) if span.end else (end - span.start).seconds // 45 + 1
    every = (end - span.start) / count
    return [span.start + every * (step + 0.3) for step in range(count)]


def _write_step(story: Story, number: int, *, at: datetime, may_fail: bool) -> None:
    toolkit = story.chance.random.choice(story.mission.theme.toolkits)
    action = story.chance.random.choice(toolkit.actions)
    past = story.now - at > _LAST_FAILED_CALL
    failed = may_fail and past and story.mission.is_every(45, first=7)
    if failed:
        word = "rate_limit" if story.mission.number % 2 else "error"
        _write_failed_call(story, toolkit, action, word=word, at=at - timedelta(seconds=5))
    duration_ms = story.chance.whole(median=620, sigma=0.5, low=150, high=3200)
    done_at = at + timedelta(milliseconds=duration_ms)
    _write_audit(
        story,
        toolkit,
        action,
        word="success",
        latency_ms=duration_ms,
        retries=int(failed),
        at=done_at,
    )
    _tell_step(story, number, toolkit, action, duration_ms=duration_ms, at=done_at)


def _tell_step(
    story: Story, number: int, toolkit: Toolkit, action: str, *, duration_ms: int, at: datetime
) -> None:
    story.tell(
        "composio_tool_call",
        {
            "toolkit": toolkit.slug,
            "action": action,
            "duration_ms": duration_ms,
            "outcome": "success",
            "token_usage": story.chance.random.randint(180, 900),
        },
        at=at,
        stage=Stage.EXECUTE,
        agent="executor",
        level="success",
    )
    story.tell(
        "execution_step_completed",
        {
            "action_id": f"{story.mission.id[:8]}-{number}",
            "toolkit": toolkit.slug,
            "action_name": action,
            "duration_ms": duration_ms,
            "status": "completed",
        },
        at=at + timedelta(milliseconds=40),
        stage=Stage.EXECUTE,
        agent="executor",
        level="success",
    )


def _write_failed_call(
    story: Story, toolkit: Toolkit, action: str, *, word: str, at: datetime
) -> None:
    limited = word == "rate_limit"
    _write_audit(story, toolkit, action, word=word, latency_ms=900, retries=0, at=at)
    story.tell(
        "composio_tool_call_error",
        {
            "toolkit": toolkit.slug,
            "action": action,
            "error_code": _ERROR_CODES[word],
            "retry_after_seconds": 4 if limited else None,
            "recovery_action": "retry_with_backoff",
        },
        at=at,
        stage=Stage.EXECUTE,
        agent="executor",
        level="warning" if limited else "error",
    )


_ERROR_CODES = {"success": None, "rate_limit": "RATE_LIMIT", "error": "UPSTREAM_TIMEOUT"}


def _write_audit(
    story: Story,
    toolkit: Toolkit,
    action: str,
    *,
    word: str,
    latency_ms: int,
    retries: int,
    at: datetime,
) -> None:
    story.rows.add(
        "composio_audit_events",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "tenant_id": story.mission.tenant.id,
            "toolkit": toolkit.slug,
            "action": action,
            "status": word,
            "outcome": {"successful": word == "success", "log_id": story.chance.token("log")},
            "latency_ms": latency_ms,
            "error_code": _ERROR_CODES[word],
            "retries": retries,
            "occurred_at": at,
        },
    )
