"""Plan and Approve: candidate plays, undo plans, and who said yes."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.missions import Status
from runbook_nb.packs.control_plane.lab.seed.sessions import write_planner_session
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.undo import UNDO_WINDOW_S, write_undo_plan
from runbook_nb.packs.control_plane.lab.seed.vocabulary import PLAY_STYLES, Stage

_APPROVER = "governance_reviewer"


def write_plan(story: Story) -> None:
    """Write the plays, their ranking, and the choice of one if it was made."""
    start = story.start(Stage.PLAN)
    chosen = story.mission.passed(Stage.PLAN) or story.mission.standing.status is Status.READY
    write_undo_plan(story, at=start + timedelta(seconds=2), drafted=not chosen)
    for position in range(len(story.mission.play_ids)):
        _write_play(story, position, chosen=chosen, at=start + timedelta(seconds=3 + position))
    if story.mission.live_agent is None:
        write_planner_session(story)
    story.tell(
        "plan_ranked",
        {
            "play_ids_ordered": list(story.mission.play_ids),
            "ranking_method": "confidence_and_precedent",
            "validator_critique": "none",
        },
        at=start + timedelta(seconds=6),
        stage=Stage.PLAN,
        agent="planner",
        level="success",
    )
    if chosen:
        _tell_choice(story, start=start)


def _tell_choice(story: Story, *, start: datetime) -> None:
    scopes = [scope for toolkit in story.mission.theme.toolkits for scope in toolkit.scopes]
    story.tell(
        "validator_scope_check",
        {"required_scopes": scopes, "granted_scopes": scopes, "alignment_status": "aligned"},
        at=start + story.chance.seconds(8, 12),
        stage=Stage.PLAN,
        agent="validator",
        level="success",
    )
    story.tell(
        "plan_selected",
        {
            "play_id": story.mission.play_ids[0],
            "selection_method": "manual",
            "reason_note": "ranked first",
            "undo_plan_id": story.mission.undo_plan_id,
        },
        at=story.mission.spans[Stage.PLAN].end or start + story.chance.seconds(60, 300),
        stage=Stage.PLAN,
    )


def _write_play(story: Story, position: int, *, chosen: bool, at: datetime) -> None:
    first = position == 0
    style = PLAY_STYLES[(story.mission.number + position) % len(PLAY_STYLES)]
    precedents = story.chance.random.randint(1, 6)
    pattern = "-".join(toolkit.slug for toolkit in story.mission.theme.toolkits)
    story.rows.add(
        "mission_plays",
        {
            "id": story.mission.play_ids[position],
            "mission_id": story.mission.id,
            "play_identifier": f"play-{position + 1}",
            "title": f"{style}: {story.mission.title}",
            "description": "Read first, write drafts, then change records after approval.",
            "confidence": story.confidences[position],
            "ranking": position + 1,
            "selected": first and chosen,
            "undo_plan_id": story.mission.undo_plan_id if first else None,
            "generated_by": "planner",
            "metadata": {"library_precedent_count": precedents},
            "created_at": at,
            "updated_at": at,
        },
    )
    story.tell(
        "planner_candidate_generated",
        {
            "play_id": story.mission.play_ids[position],
            "confidence": story.confidences[position],
            "library_precedent_count": precedents,
            "tool_usage_pattern": pattern,
            "undo_plan_included": first,
            "latency_ms": story.chance.whole(median=1300, sigma=0.25, low=700, high=2400),
        },
        at=at,
        stage=Stage.PLAN,
        agent="planner",
    )


def write_approve(story: Story) -> None:
    """Write the request for approval and what became of it."""
    at = story.start(Stage.APPROVE) + timedelta(seconds=2)
    decided_at = story.mission.spans[Stage.APPROVE].end
    if story.mission.standing.status is Status.BLOCKED and decided_at is None:
        _write_approval(story, status="rejected", at=at, decided_at=at + timedelta(minutes=12))
        return
    _write_approval(
        story, status="approved" if decided_at else "requested", at=at, decided_at=decided_at
    )


def _write_approval(
    story: Story, *, status: str, at: datetime, decided_at: datetime | None
) -> None:
    # What still waits is due in some days, so that nothing is overdue while the lab runs.
    due_at = (decided_at or story.now) + story.chance.seconds(2 * 86400, 5 * 86400)
    play_id = story.mission.play_ids[0]
    story.rows.add(
        "mission_approvals",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "mission_play_id": play_id,
            "approver_id": story.mission.approver_id if decided_at else None,
            "approver_role": _APPROVER,
            "status": status,
            "rationale": _RATIONALES[status],
            "due_at": due_at,
            "decision_at": decided_at,
            "undo_plan_id": story.mission.undo_plan_id,
            "metadata": {"undo_window_seconds": UNDO_WINDOW_S},
            "created_at": at,
            "updated_at": decided_at or at,
        },
    )
    story.tell(
        "approval_requested",
        {
            "approval_type": "execution",
            "approver_role": _APPROVER,
            "due_at": due_at.isoformat(),
            "play_id": play_id,
        },
        at=at,
        stage=Stage.APPROVE,
        agent="coordinator",
    )
    if decided_at:
        _tell_decision(story, status=status, at=decided_at)


_RATIONALES = {
    "requested": None,
    "approved": "Undo plan covers every change.",
    "rejected": "The audience is wider than the policy allows.",
}


def _tell_decision(story: Story, *, status: str, at: datetime) -> None:
    if status == "rejected":
        story.tell(
            "approval_rejected",
            {"rejection_reason": "policy", "feedback_note": _RATIONALES[status]},
            at=at,
            stage=Stage.APPROVE,
            level="warning",
        )
        return
    story.tell(
        "approval_granted",
        {
            "play_id": story.mission.play_ids[0],
            "approver_role": _APPROVER,
            "approval_timestamp": at.isoformat(),
            "undo_window_seconds": UNDO_WINDOW_S,
        },
        at=at,
        stage=Stage.APPROVE,
        level="success",
    )
