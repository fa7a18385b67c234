"""Undo plans of selected plays, and the undos that people asked for."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.missions import Status
from runbook_nb.packs.control_plane.lab.seed.records import RECORDS, RecordTools
from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage

UNDO_WINDOW_S = 900

# The mission whose undo failed once: one of some forty undos, and weeks ago, so that success
# is above 95 % overall and 100 % in recent days.
_FAILED_UNDO = 61
_RECORDS_A_TOOLKIT = 2


def _undone(story: Story) -> bool:
    return story.mission.finished and story.mission.is_every(6, first=1)


def _failed_first(story: Story) -> bool:
    return story.mission.number == _FAILED_UNDO


def _steps(story: Story) -> list[dict[str, object]]:
    changed = [
        (slug, tools, number)
        for slug, tools in RECORDS.items()
        if slug in {toolkit.slug for toolkit in story.mission.theme.toolkits}
        for number in range(1, _RECORDS_A_TOOLKIT + 1)
    ]
    return [
        _step(order, slug, tools, record_id=f"{tools.kind}-{story.mission.id[:8]}-{number}")
        for order, (slug, tools, number) in enumerate(changed, start=1)
    ]


def _step(order: int, slug: str, tools: RecordTools, *, record_id: str) -> dict[str, object]:
    former = {} if tools.before is None else {"properties": dict(tools.before)}
    return {
        "order": order,
        "toolkit": slug,
        "action": tools.change,
        "arguments": {"id": record_id, "properties": dict(tools.after)},
        "read_action": tools.read,
        "reverse_action": tools.reverse,
        "reverse_arguments": {"id": record_id, **former},
    }


def write_undo_plan(story: Story, *, at: datetime, drafted: bool) -> None:
    """Write the undo plan; after the run it is executed, or expired with its window."""
    run_over = story.mission.passed(Stage.EXECUTE)
    status = "draft" if drafted else "ready"
    if run_over:
        status = "executed" if _undone(story) else "expired"
    story.rows.add(
        "mission_undo_plans",
        {
            "id": story.mission.undo_plan_id,
            "mission_id": story.mission.id,
            "plan_label": f"Undo: {story.mission.title}",
            "impact_summary": "Every changed record gets its former value back.",
            "risk_assessment": "low",
            "steps": _steps(story),
            "status": status,
            "created_at": at,
            "updated_at": story.mission.spans[Stage.EXECUTE].end if run_over else at,
        },
    )


def write_undo(story: Story, *, available_at: datetime) -> None:
    """Write that undo was available after a run, and each request with its end."""
    story.tell(
        "undo_available",
        {
            "undo_plan_id": story.mission.undo_plan_id,
            "time_remaining_seconds": UNDO_WINDOW_S,
            "impact_summary": "Every changed record gets its former value back.",
        },
        at=available_at,
        stage=Stage.EXECUTE,
        agent="executor",
    )
    _write_event(story, "available", status="completed", at=available_at, by_owner=False)
    if story.mission.standing.status is Status.IN_PROGRESS or not _undone(story):
        return
    requested_at = available_at + story.chance.seconds(60, 300)
    if _failed_first(story):
        _write_request(story, at=requested_at, end="failed", status="failed")
        requested_at += timedelta(seconds=90)
    _write_request(story, at=requested_at, end="executed", status="completed")


def _write_request(story: Story, *, at: datetime, end: str, status: str) -> None:
    """Write one request and its one end, within the 5 s that an undo may take."""
    plan_id = story.mission.undo_plan_id
    duration_ms = story.chance.whole(median=1800, sigma=0.35, low=700, high=4200)
    ended_at = at + timedelta(milliseconds=duration_ms)
    reversed_count = len(_steps(story)) if status == "completed" else 1
    _write_event(story, "requested", status="completed", at=at, by_owner=True)
    _write_event(story, end, status=status, at=ended_at, by_owner=False)
    story.tell(
        "undo_requested",
        {
            "undo_plan_id": plan_id,
            "reason": "wrong audience",
            "initiated_by": story.mission.owner_id,
        },
        at=at,
        stage=Stage.EXECUTE,
    )
    story.tell(
        "undo_completed",
        {
            "undo_plan_id": plan_id,
            "actions_reversed": reversed_count,
            "duration_ms": duration_ms,
            "outcome": "success" if status == "completed" else "partial",
        },
        at=ended_at,
        stage=Stage.EXECUTE,
        agent="executor",
        level="success" if status == "completed" else "error",
    )


def _write_event(
    story: Story, event_type: str, *, status: str, at: datetime, by_owner: bool
) -> None:
    total = len(_steps(story))
    reversed_count = {"executed": total, "failed": 1}.get(event_type, 0)
    story.rows.add(
        "undo_events",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "undo_plan_id": story.mission.undo_plan_id,
            "event_type": event_type,
            "status": status,
            "initiated_by": story.mission.owner_id if by_owner else None,
            "notes": "Record was changed by someone else." if status == "failed" else None,
            "metadata": {"steps_total": total, "steps_reversed": reversed_count},
            "occurred_at": at,
        },
    )
