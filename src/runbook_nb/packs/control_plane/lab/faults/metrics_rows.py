"""Faults behind the dashboards: a real change, and rows that came or went after the count."""

from typing import Final, Literal

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.state import LabState

# The views in which missions count. Operations health multiplies events by streams and calls: its
# refresh takes longer the longer the lab has run, and no mission is in it.
REFRESH: Final = """
REFRESH MATERIALIZED VIEW executive_summary_mv;
REFRESH MATERIALIZED VIEW adoption_funnel_mv;
REFRESH MATERIALIZED VIEW agent_performance_mv;
"""
_FLOOD: Final = """
INSERT INTO missions (tenant_id, external_ref, title, status, current_stage, created_at)
SELECT tenant.id, 'metrics-fault', 'Import ' || number, 'draft', 'Home',
       now() - interval '1 hour' * {hours} * random()
  FROM (SELECT tenant_id AS id FROM missions GROUP BY tenant_id
         ORDER BY count(*) {order}, tenant_id LIMIT {tenants}) AS tenant,
       generate_series(1, {missions}) AS number
"""
# Rows that another database had, with their own times: the views counted these weeks without them.
_LATE: Final = """
INSERT INTO missions
       (tenant_id, external_ref, title, status, current_stage, created_at, updated_at)
SELECT tenant.id, 'metrics-fault', 'Moved here ' || number, 'draft', 'Home', moment.at, moment.at
  FROM (SELECT tenant_id AS id FROM missions GROUP BY tenant_id
         ORDER BY count(*) DESC, tenant_id LIMIT {tenants}) AS tenant,
       generate_series(1, {missions}) AS number,
       LATERAL (SELECT date_trunc('week', now()) - interval '{days} days'
                       - interval '6 hours' * number) AS moment (at)
"""
_FORGET_FLOOD: Final = "DELETE FROM missions WHERE external_ref = 'metrics-fault'"


def flood(
    lab: LabState,
    *,
    tenants: int = 1,
    missions: int = 160,
    hours: int = 20,
    order: Literal["ASC", "DESC"] = "DESC",
) -> None:
    """Have a tenant, the largest or the smallest first, really create many more missions."""
    heal_flood(lab)
    statement = _FLOOD.format(tenants=tenants, missions=missions, hours=hours, order=order)
    with superuser(lab) as connection:
        connection.execute(statement.encode())


def bring_late(lab: LabState, *, tenants: int = 2, missions: int = 40, days: int = 7) -> None:
    """Bring missions of weeks that are over, after the views have counted them."""
    heal_flood(lab)
    with superuser(lab) as connection:
        statement = _LATE.format(tenants=tenants, missions=missions, days=days)
        connection.execute(statement.encode())


def count_and_delete(lab: LabState) -> None:
    """Delete missions of weeks that are over, after the views have counted them."""
    bring_late(lab, tenants=1, missions=6)
    with superuser(lab) as connection:
        connection.execute(REFRESH)
    heal_flood(lab)


def heal_flood(lab: LabState) -> None:
    """Forget those missions."""
    with superuser(lab) as connection:
        connection.execute(_FORGET_FLOOD)


def heal_late(lab: LabState) -> None:
    """Forget those missions, also in the views."""
    heal_flood(lab)
    with superuser(lab) as connection:
        connection.execute(REFRESH)


FAULTS = (
    Fault(
        name="missions_flood",
        title="A tenant really creates ten times its usual missions",
        inject=flood,
        heal=heal_flood,
    ),
    Fault(
        name="missions_flood.two_tenants",
        title="Two tenants really create many more missions than usual",
        inject=lambda lab: flood(lab, tenants=2),
        heal=heal_flood,
    ),
    Fault(
        name="missions_flood.small_tenant",
        title="The smaller tenant really creates many more missions than usual",
        inject=lambda lab: flood(lab, missions=120, order="ASC"),
        heal=heal_flood,
    ),
    Fault(
        name="missions_flood.one_hour",
        title="A tenant really creates ten times its usual missions within the hour",
        inject=lambda lab: flood(lab, hours=1),
        heal=heal_flood,
    ),
    Fault(
        name="missions_flood.thousand",
        title="A tenant really creates a thousand missions in a day",
        inject=lambda lab: flood(lab, missions=1000),
        heal=heal_flood,
    ),
    Fault(
        name="rows_late",
        title="Missions of earlier weeks were brought after the views had counted these weeks",
        inject=bring_late,
        heal=heal_late,
    ),
    Fault(
        name="rows_late.one_tenant",
        title="A few missions of one tenant's earlier weeks were brought late",
        inject=lambda lab: bring_late(lab, tenants=1, missions=6),
        heal=heal_late,
    ),
    Fault(
        name="rows_late.older",
        title="A few missions of three weeks ago were brought late",
        inject=lambda lab: bring_late(lab, missions=8, days=14),
        heal=heal_late,
    ),
    Fault(
        name="rows_late.gone",
        title="Missions of earlier weeks were counted, and are gone",
        inject=count_and_delete,
        heal=heal_late,
    ),
    Fault(
        name="missions_busy",
        title="A tenant has a busy day, as happens",
        inject=lambda lab: flood(lab, missions=3),
        heal=heal_flood,
    ),
)
