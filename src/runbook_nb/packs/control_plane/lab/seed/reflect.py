"""Reflect: the evidence of a run, its rating, follow-up, library play and retrospective."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.evidence import write_bundle
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.vocabulary import REMARKS, STAGES, Stage


def write_reflect(story: Story) -> None:
    """Write the evidence of a run and, once the mission is over, what people made of it."""
    start = story.start(Stage.REFLECT)
    bundle_id, bundle_hash = write_bundle(story, at=start + timedelta(seconds=1))
    story.tell(
        "evidence_bundle_generated",
        {
            "artifact_id": bundle_id,
            "latency_ms": story.chance.whole(median=1500, sigma=0.3, low=600, high=4200),
        },
        at=start + timedelta(seconds=6),
        stage=Stage.REFLECT,
        agent="evidence",
        level="success",
    )
    story.tell(
        "audit_event_recorded",
        {
            "artifact_hash": bundle_hash,
            "export_format": "json",
            "approver_role": "governance_reviewer",
        },
        at=start + timedelta(seconds=8),
        stage=Stage.REFLECT,
        agent="evidence",
    )
    story.tell(
        "evidence_opened",
        {"artifact_id": bundle_id, "artifact_type": "evidence_bundle", "redaction_applied": True},
        at=start + story.chance.seconds(20, 200),
        stage=Stage.REFLECT,
    )
    end = story.mission.spans[Stage.REFLECT].end
    if story.mission.finished and end is not None:
        _write_feedback(story, at=end - timedelta(minutes=2))
        _write_followup(story, at=end - timedelta(minutes=1))
        _tell_contribution(story, bundle_id, at=end - timedelta(seconds=40))
        _write_retrospective(story, at=end - timedelta(seconds=20))
        _tell_completed(story, at=end)


def _write_feedback(story: Story, *, at: datetime) -> None:
    rating = story.chance.random.choices((3, 4, 5), weights=(1, 5, 6))[0]
    hours = story.chance.random.randint(2, 18) / 2
    remark = story.chance.random.choice(REMARKS)
    story.rows.add(
        "mission_feedback",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "user_id": story.mission.owner_id,
            "persona": story.mission.theme.persona,
            "rating": rating,
            "effort_saved_hours": hours,
            "blockers": None,
            "qualitative_notes": remark,
            "submitted_at": at,
            "metadata": {},
        },
    )
    story.tell(
        "feedback_submitted",
        {
            "rating": rating,
            "effort_saved_hours": hours,
            "blockers": None,
            "qualitative_notes": remark,
        },
        at=at,
        stage=Stage.REFLECT,
    )


def _write_followup(story: Story, *, at: datetime) -> None:
    """Write a follow-up for every second mission: done if it was due, else open."""
    if not story.mission.is_every(2, first=0):
        return
    due_at = at + timedelta(days=7)
    done = due_at < story.now
    issue = f"acp-{200 + story.mission.number}"
    story.rows.add(
        "mission_followups",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "task_type": "review_results",
            "owner_role": "operator",
            "owner_id": story.mission.owner_id,
            "due_at": due_at,
            "status": "done" if done else "open",
            "bd_issue": issue,
            "metadata": {},
            "created_at": at,
            "completed_at": due_at - timedelta(days=2) if done else None,
        },
    )
    story.tell(
        "followup_scheduled",
        {
            "task_type": "review_results",
            "due_at": due_at.isoformat(),
            "owner_role": "operator",
            "bd_issue": issue,
        },
        at=at,
        stage=Stage.REFLECT,
    )


def _tell_contribution(story: Story, artifact_id: str, *, at: datetime) -> None:
    """Tell that the play of every third mission went into the library."""
    if not story.mission.is_every(3, first=0):
        return
    story.tell(
        "library_contribution",
        {
            "artifact_id": artifact_id,
            "library_category": story.mission.theme.category,
            "reuse_potential_score": story.confidences[0],
        },
        at=at,
        stage=Stage.REFLECT,
        agent="evidence",
        level="success",
    )


def _write_retrospective(story: Story, *, at: datetime) -> None:
    impact = {"records_changed": story.chance.random.randint(8, 50)}
    compliance = {"met": 2, "overridden": 0}
    story.rows.add(
        "mission_retrospectives",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "impact_metrics": impact,
            "safeguard_compliance": compliance,
            "next_actions": ["Reuse this play next month."],
            "summary": f"{story.mission.title}: done within the plan.",
            "created_by": story.mission.owner_id,
            "created_at": at,
            "updated_at": at,
        },
    )
    story.tell(
        "mission_retrospective_logged",
        {
            "impact_metrics": impact,
            "safeguard_compliance": compliance,
            "next_actions": ["Reuse this play next month."],
        },
        at=at,
        stage=Stage.REFLECT,
        agent="evidence",
    )


def _tell_completed(story: Story, *, at: datetime) -> None:
    durations = {}
    for stage in STAGES:
        span = story.mission.spans[stage]
        durations[stage.value] = round(((span.end or at) - span.start).total_seconds())
    story.tell(
        "mission_completed",
        {
            "total_duration_seconds": sum(durations.values()),
            "stage_durations": durations,
            "outcome_summary": "All changes made as approved.",
        },
        at=at,
        stage=Stage.REFLECT,
        agent="coordinator",
        level="success",
    )
