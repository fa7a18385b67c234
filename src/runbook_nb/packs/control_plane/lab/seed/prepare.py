"""Prepare: toolkits found and connected, and the data behind them inspected."""

from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.story import Story
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage, Toolkit

# Old enough that no check of recent connections sees a link that was left to expire.
_LAST_EXPIRED_LINK = timedelta(days=3)


def write_prepare(story: Story) -> None:
    """Write discovery, selections, connections, checks and readiness."""
    at = story.start(Stage.PREPARE)
    latency_ms = story.chance.whole(median=380, sigma=0.3, low=180, high=900)
    at += timedelta(milliseconds=latency_ms)
    toolkits = story.mission.theme.toolkits
    story.tell(
        "composio_discovery",
        {
            "query": story.mission.theme.category,
            "toolkit_count": len(toolkits),
            "latency_ms": latency_ms,
            "coverage_estimate": story.coverage_percent,
        },
        at=at,
        stage=Stage.PREPARE,
        agent="inspector",
    )
    _write_selections(story, at=at + timedelta(milliseconds=400))
    for toolkit in toolkits:
        if toolkit.scopes:
            at = _write_connection(story, toolkit, at=at + story.chance.seconds(2, 5))
        at = _write_check(story, toolkit, at=at)
    story.tell(
        "readiness_status_changed",
        {
            "status": "ready",
            "coverage_percent": story.coverage_percent,
            "blocking_items": [],
        },
        at=at + timedelta(seconds=1),
        stage=Stage.PREPARE,
        agent="inspector",
        level="success",
    )


def _write_selections(story: Story, *, at: datetime) -> None:
    for rank, toolkit in enumerate(story.mission.theme.toolkits, start=1):
        story.rows.add(
            "toolkit_selections",
            {
                "id": story.chance.id(),
                "mission_id": story.mission.id,
                "toolkit_slug": toolkit.slug,
                "toolkit_name": toolkit.name,
                "stage": Stage.PREPARE,
                "selection_reason": f"used for {story.mission.theme.category}",
                "recommended": True,
                "rank": rank,
                "metadata": {"auth_required": bool(toolkit.scopes)},
                "created_at": at,
            },
        )
        story.tell(
            "toolkit_recommended",
            {
                "toolkit_slug": toolkit.slug,
                "rank": rank,
                "precedent_count": story.chance.random.randint(2, 9),
                "auth_required": bool(toolkit.scopes),
            },
            at=at,
            stage=Stage.PREPARE,
            agent="inspector",
        )


def _write_connection(story: Story, toolkit: Toolkit, *, at: datetime) -> datetime:
    """Write the Connect Link of a toolkit and return when it was approved."""
    past = story.now - at > _LAST_EXPIRED_LINK
    if past and story.mission.is_every(37, first=9):
        _write_link(story, toolkit, at=at, approved_at=None)
        at += timedelta(seconds=5)
    approved_at = at + story.chance.seconds(18, 50)
    _write_link(story, toolkit, at=at, approved_at=approved_at)
    story.tell(
        "toolkit_connected",
        {
            "toolkit_slug": toolkit.slug,
            "scopes_granted": list(toolkit.scopes),
            "connector_latency_ms": round((approved_at - at).total_seconds() * 1000),
        },
        at=approved_at,
        stage=Stage.PREPARE,
        agent="inspector",
        level="success",
    )
    return approved_at


def _write_link(
    story: Story, toolkit: Toolkit, *, at: datetime, approved_at: datetime | None
) -> None:
    link = story.chance.token("cl")
    approved = approved_at is not None
    valid = timedelta(days=story.chance.random.randint(60, 90)) if approved else timedelta(0)
    # A link that was not followed in time expired; a new one replaced it at once.
    settled_at = approved_at or at + timedelta(seconds=4)
    story.rows.add(
        "mission_connections",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "toolkit_slug": toolkit.slug,
            "connect_link_id": link,
            "requested_scopes": list(toolkit.scopes),
            "granted_scopes": list(toolkit.scopes) if approved else [],
            "status": "approved" if approved else "expired",
            "requested_at": at,
            "approved_at": approved_at,
            "expires_at": settled_at + valid,
            "metadata": {"account_alias": f"{story.mission.tenant.slug}-{toolkit.slug}"},
        },
    )
    for status, moment in (
        ("initiated", at),
        ("approved" if approved else "expired", settled_at),
    ):
        story.tell(
            "composio_auth_flow",
            {
                "toolkit": toolkit.slug,
                "status": status,
                "scopes_requested": list(toolkit.scopes),
                "connect_link_id": link,
            },
            at=moment,
            stage=Stage.PREPARE,
            agent="inspector",
        )


def _write_check(story: Story, toolkit: Toolkit, *, at: datetime) -> datetime:
    """Write the inspection of a toolkit's data and return when it was done (target 10 s)."""
    done_at = at + timedelta(
        seconds=story.chance.log_normal(median=4, sigma=0.35, low=1.5, high=8.5)
    )
    sample_count = story.chance.random.randint(40, 500)
    pii_flags = ["email"] if toolkit.scopes else []
    story.rows.add(
        "data_inspection_checks",
        {
            "id": story.chance.id(),
            "mission_id": story.mission.id,
            "toolkit_slug": toolkit.slug,
            "inspector_id": None,
            "coverage_percent": story.coverage_percent,
            "sample_count": sample_count,
            "pii_flags": pii_flags,
            "outcome": "pass",
            "details": {"duplicates": story.chance.random.randrange(4)},
            "created_at": done_at,
        },
    )
    story.tell(
        "data_preview_generated",
        {
            "toolkit": toolkit.slug,
            "sample_count": sample_count,
            "pii_flags": pii_flags,
            "duplicate_cluster_count": story.chance.random.randrange(4),
            "redaction_applied": True,
        },
        at=done_at,
        stage=Stage.PREPARE,
        agent="inspector",
        level="success",
    )
    return done_at
