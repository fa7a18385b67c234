"""Home and Define: the mission, its stage rows, its brief and its safeguards."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.missions import MissionPlan, Status
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.vocabulary import SAFEGUARDS, Stage

_ROLES = {
    "RevOps": "revops_lead",
    "Support": "support_lead",
    "Engineering": "engineering_lead",
    "Governance": "governance_lead",
}


def write_mission(story: Story) -> None:
    """Write the mission and a row for each stage that it has reached."""
    mission = story.mission
    standing, spans = mission.standing, mission.spans
    last = spans[standing.stage]
    story.rows.add(
        "missions",
        {
            "id": mission.id,
            "tenant_id": mission.tenant.id,
            "external_ref": f"{mission.tenant.slug}-{1000 + mission.number}",
            "title": mission.title,
            "description": f"{mission.title}, keep a draft of every change.",
            "persona_id": mission.persona_id,
            "owner_id": mission.owner_id,
            "owner_role": _ROLES[mission.theme.persona],
            "status": standing.status,
            "current_stage": standing.stage,
            "readiness": story.readiness,
            "priority": mission.priority,
            "intent": {"text": mission.title, "category": mission.theme.category},
            "created_at": mission.created_at,
            "updated_at": last.end or last.start,
            "brief_locked_at": _end(story, Stage.DEFINE),
            "ready_at": _ready_at(story),
            "completed_at": last.end if mission.finished else None,
            "archived_at": _archived_at(story),
        },
    )
    for stage in spans:
        _write_stage(story, stage)


def _end(story: Story, stage: Stage) -> datetime | None:
    return story.mission.spans[stage].end if story.mission.reached(stage) else None


def _ready_at(story: Story) -> datetime | None:
    if not story.mission.reached(Stage.PREPARE):
        return None
    # The last preview of an open Prepare stage is done within three minutes.
    return _end(story, Stage.PREPARE) or story.start(Stage.PREPARE) + timedelta(minutes=3)


def _archived_at(story: Story) -> datetime | None:
    if story.mission.standing.status is not Status.ARCHIVED:
        return None
    return story.mission.created_at + timedelta(days=10)


def _write_stage(story: Story, stage: Stage) -> None:
    span = story.mission.spans[stage]
    prepared = stage is Stage.PREPARE
    open_ended = story.mission.standing.stage is stage and not story.mission.finished
    state = _open_state(story.mission.standing) if open_ended else "completed"
    blocking_reason = None
    if state == "blocked":
        blocking_reason = "Approval rejected" if stage is Stage.APPROVE else "Safeguard stopped run"
    story.rows.add(
        "mission_stage_status",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "stage": stage,
            "status": state,
            "readiness_state": "ready" if prepared else "unknown",
            "coverage_percent": story.coverage_percent if prepared else None,
            "blocking_reason": blocking_reason,
            "metrics": {"toolkits": len(story.mission.theme.toolkits)} if prepared else {},
            "started_at": span.start,
            "completed_at": None if open_ended else span.end,
            "updated_at": span.end or span.start,
        },
    )


def _open_state(standing: MissionPlan) -> str:
    if standing.status is Status.BLOCKED:
        return "blocked"
    if standing.status is Status.DRAFT:
        return "pending"
    # A stage that waits for a person is ready; in progress is what an agent works on.
    return "in_progress" if standing.stage is Stage.EXECUTE else "ready"


def write_home(story: Story) -> None:
    """Write how the mission was created from the board."""
    start = story.start(Stage.HOME)
    story.tell(
        "mission_list_action_taken",
        {"action_type": "create", "mission_stage": Stage.HOME, "needs_attention": False},
        at=start,
        stage=Stage.HOME,
    )
    story.tell(
        "readiness_badge_rendered",
        {"badge_state": "unknown", "blocking_reason": None},
        at=start + story.chance.seconds(1, 4),
        stage=Stage.HOME,
    )


def write_define(story: Story) -> None:
    """Write the brief: intent, chips, safeguards and, once left, the lock."""
    start = story.start(Stage.DEFINE)
    story.tell(
        "intent_submitted",
        {"intent_length": len(story.mission.title), "source": "typed"},
        at=start,
        stage=Stage.DEFINE,
    )
    latency_ms = story.chance.whole(median=1400, sigma=0.3, low=600, high=2900)
    generated_at = start + timedelta(milliseconds=latency_ms)
    story.tell(
        "brief_generated",
        {
            "chip_count": 4,
            "confidence_scores": list(story.confidences),
            "generation_latency_ms": latency_ms,
            "template_id": f"brief-{story.mission.theme.category.replace(' ', '-')}",
        },
        at=generated_at,
        stage=Stage.DEFINE,
        agent="intake",
        level="success",
    )
    _write_chips(story, at=generated_at)
    _write_safeguards(story, at=generated_at + story.chance.seconds(20, 60))
    locked_at = story.mission.spans[Stage.DEFINE].end
    if locked_at is not None:
        story.tell(
            "mission_brief_locked",
            {
                "safeguard_count": 2,
                "time_to_lock_seconds": round((locked_at - start).total_seconds()),
                "edits_before_lock": story.chance.random.randrange(2),
            },
            at=locked_at,
            stage=Stage.DEFINE,
            level="success",
        )


def brief(story: Story) -> dict[str, str]:
    """Return the chips of the brief by name."""
    return {
        "objective": story.mission.title,
        "audience": f"{story.mission.theme.persona} team",
        "kpi": f"{story.mission.theme.category} done within a week",
        "timeline": "this week",
    }


def _write_chips(story: Story, *, at: datetime) -> None:
    for key, value in brief(story).items():
        story.rows.add(
            "mission_metadata",
            {
                "id": story.chance.id(),
                "mission_id": story.mission.id,
                "metadata_key": key,
                "metadata_value": {"value": value, "source": "generated"},
                "source_stage": Stage.DEFINE,
                "created_at": at,
                "updated_at": at,
            },
        )
    # Four of five generated briefs are taken as they are; the target is 80 %.
    if story.chance.one_in(6):
        story.tell(
            "brief_item_modified",
            {"chip_type": "audience", "edit_type": "replace", "token_diff": 3, "aliases": []},
            at=at + story.chance.seconds(8, 20),
            stage=Stage.DEFINE,
        )


def _write_safeguards(story: Story, *, at: datetime) -> None:
    chosen = story.chance.random.sample(SAFEGUARDS, 2)
    for position, (category, description, severity) in enumerate(chosen):
        added_at = at + timedelta(seconds=30 * position)
        story.rows.add(
            "mission_safeguards",
            {
                "id": story.chance.id() if position else story.safeguard_id,
                "mission_id": story.mission.id,
                "category": category,
                "description": description,
                "severity": severity,
                "added_by": story.mission.owner_id,
                "added_role": _ROLES[story.mission.theme.persona],
                "enforced": True,
                "metadata": {"source": "brief"},
                "created_at": added_at,
                "updated_at": added_at,
            },
        )
        story.tell(
            "safeguard_added",
            {"category": category, "reason_code": "brief"},
            at=added_at,
            stage=Stage.DEFINE,
        )
