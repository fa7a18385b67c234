"""Agent sessions: what an agent remembers of a mission, and how far it has come with it."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.define import brief
from runbook_nb.packs.control_plane.lab.seed.rows import canonical
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.streams import BEAT_EVERY, token_usage
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage

# A live session has beaten a second ago, so that none is silent before its agent is up.
_LIVE_BEAT_AGE = timedelta(seconds=1)


def session_state(story: Story, *, beat_at: datetime) -> dict[str, object]:
    """Return the session state with the keys of the agents; the tables hold the same facts."""
    mission = story.mission
    return {
        "mission_id": mission.id,
        "tenant_id": mission.tenant.id,
        "user_id": mission.owner_id,
        "current_stage": mission.standing.stage,
        "mission_brief": brief(story),
        "safeguards": [story.safeguard_id],
        "confidence_scores": list(story.confidences),
        "readiness_status": story.readiness,
        "coverage_estimate": story.coverage_percent,
        **_toolkit_state(story),
        **_decision_state(story),
        "execution_results": {"actions_planned": len(mission.theme.toolkits) + 2},
        "evidence_bundles": [],
        "library_contributions": [],
        "auto_fix_attempts": 0,
        "error_context": {},
        "revision_id": _revision(story),
        "heartbeat_timestamp": beat_at.isoformat(),
    }


def _revision(story: Story) -> int:
    """Return how often the state was saved: some ten times in each stage that was reached."""
    return 10 * len(story.mission.spans) + story.mission.number % 7


def _toolkit_state(story: Story) -> dict[str, object]:
    toolkits = story.mission.theme.toolkits
    return {
        "anticipated_connections": [toolkit.slug for toolkit in toolkits],
        "granted_scopes": {toolkit.slug: list(toolkit.scopes) for toolkit in toolkits},
        "tool_usage_patterns": {toolkit.slug: list(toolkit.actions) for toolkit in toolkits},
    }


def _decision_state(story: Story) -> dict[str, object]:
    approved = story.mission.passed(Stage.APPROVE)
    return {
        "ranked_plays": list(story.mission.play_ids),
        "undo_plans": [story.mission.undo_plan_id],
        "validation_results": {"scopes": "aligned", "safeguards": "met"},
        "approval_decision": "approved" if approved else None,
        "approval_audit": {"approver_id": story.mission.approver_id} if approved else {},
    }


def state_size_bytes(state: dict[str, object]) -> int:
    """Return how many bytes a session state takes as JSON without spaces."""
    return len(canonical(state).encode())


def write_planner_session(story: Story) -> None:
    """Write the planner's session, over once a play is chosen, idle while it waits."""
    span = story.mission.spans[Stage.PLAN]
    _write_session(
        story,
        agent="planner",
        status="terminated" if span.end else "idle",
        created_at=span.start,
        beat_at=span.end or span.start + timedelta(seconds=10),
        lag_ms=story.chance.whole(median=450, sigma=0.6, low=100, high=2500),
        beats=2,
    )


def write_executor_session(story: Story, *, lag_ms: int) -> None:
    """Write the session of a run that is over."""
    span = story.mission.spans[Stage.EXECUTE]
    ended_at = span.end or story.now
    _write_session(
        story,
        agent="executor",
        status="terminated",
        created_at=span.start,
        beat_at=ended_at,
        lag_ms=lag_ms,
        beats=(ended_at - span.start) // BEAT_EVERY,
    )


def write_live_session(story: Story) -> None:
    """Write the one active session of a mission that runs at this moment."""
    start = story.start(Stage.EXECUTE)
    _write_session(
        story,
        agent=story.mission.live_agent or "executor",
        status="active",
        created_at=start,
        beat_at=story.now - _LIVE_BEAT_AGE,
        lag_ms=story.chance.whole(median=450, sigma=0.6, low=100, high=2500),
        beats=(story.now - start) // BEAT_EVERY,
    )


def _write_session(
    story: Story,
    *,
    agent: str,
    status: str,
    created_at: datetime,
    beat_at: datetime,
    lag_ms: int,
    beats: int,
) -> None:
    state = session_state(story, beat_at=beat_at)
    story.rows.add(
        "mission_sessions",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "agent_name": agent,
            "session_key": f"{story.mission.id}:{agent}",
            "state": state,
            "lag_ms": lag_ms,
            "token_usage": token_usage(story.mission, beats=beats),
            "state_size_bytes": state_size_bytes(state),
            "status": status,
            "last_heartbeat_at": beat_at,
            "created_at": created_at,
            "updated_at": beat_at,
        },
    )
