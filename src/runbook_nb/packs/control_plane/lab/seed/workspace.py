"""Telemetry that belongs to no mission: visits, releases, and incidents that are over."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from runbook_nb.packs.control_plane.lab.seed.missions import Tenant
from runbook_nb.packs.control_plane.lab.seed.randomness import Chance
from runbook_nb.packs.control_plane.lab.seed.rows import Rows
from runbook_nb.packs.control_plane.lab.seed.vocabulary import Stage

_DAYS = 28

# The newest release is a day old: no check may suspect a recent change.
_RELEASES_HOURS_AGO = range(26, _DAYS * 24, 68)

# Days ago, component, minutes until resolved (the target is 30), cause.
_INCIDENTS = (
    (24, "composio", 21, "partner limit too low"),
    (15, "agent", 17, "memory of one machine"),
    (6, "evidence", 26, "storage quota"),
)


def write_workspace(
    rows: Rows, chance: Chance, *, tenants: Sequence[Tenant], now: datetime
) -> None:
    """Write the events without a mission; everybody can read them, so they name nobody."""
    for days in range(1, _DAYS):
        for tenant in tenants:
            _tell_visit(rows, chance, tenant, at=now - timedelta(days=days) + chance.seconds(0, 60))
    for number, hours in enumerate(reversed(_RELEASES_HOURS_AGO), start=1):
        _tell_release(rows, chance, number, at=now - timedelta(hours=hours))
    for number, (days, component, minutes, cause) in enumerate(_INCIDENTS, start=1):
        opened = {"component": component, "bd_issue": f"acp-{100 + number}"}
        at = now - timedelta(days=days)
        _tell(
            rows,
            chance,
            "incident_opened",
            {**opened, "severity": "SEV3", "initiator": "on-call", "mission_ids": []},
            at=at,
            level="warning",
        )
        _tell(
            rows,
            chance,
            "incident_resolved",
            {
                **opened,
                "resolution_time_minutes": minutes,
                "root_cause": cause,
                "follow_up_actions": ["raise the limit"],
            },
            at=at + timedelta(minutes=minutes),
            level="success",
        )


def _tell_visit(rows: Rows, chance: Chance, tenant: Tenant, *, at: datetime) -> None:
    _tell(
        rows,
        chance,
        "home_tile_opened",
        {"missions_visible": chance.random.randint(4, 20), "filter_state": "mine"},
        at=at,
        tenant=tenant,
    )


def _tell_release(rows: Rows, chance: Chance, number: int, *, at: datetime) -> None:
    release = {"component": "agent" if number % 2 else "ui", "release": f"v{40 + number}"}
    _tell(rows, chance, "deployment_started", release, at=at)
    _tell(
        rows,
        chance,
        "deployment_completed",
        release,
        at=at + chance.seconds(60, 240),
        level="success",
    )


def _tell(
    rows: Rows,
    chance: Chance,
    event_type: str,
    context: Mapping[str, object],
    *,
    at: datetime,
    tenant: Tenant | None = None,
    level: str = "info",
) -> None:
    correlation_id = chance.token("ops")
    rows.add(
        "telemetry_events",
        {
            "id": chance.id(),
            "mission_id": None,
            "tenant_id": tenant.id if tenant else None,
            "user_id": None,
            "agent_name": None,
            "stage": Stage.HOME if tenant else None,
            "event_type": event_type,
            "status": level,
            "context": {
                "mission_id": None,
                "tenantId": tenant.id if tenant else None,
                "stage": Stage.HOME if tenant else None,
                "persona": None,
                "correlation_id": correlation_id,
                **context,
            },
            "correlation_id": correlation_id,
            "created_at": at,
        },
    )
