"""Alert rules for limits, with the thresholds of the platform."""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.rules.machines import agent_variables
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState

PAUSE: Final = "COMPOSIO_PAUSE_S"
REFUSED: Final = """
select exists (
    select from composio_audit_events
    where status = 'rate_limit' and occurred_at > now() - interval '15 min')
"""


def _pace_left(lab: LabState, connection: Any) -> bool:
    """Tell whether a machine of the agent pauses although nothing was refused for a while."""
    slow = any(PAUSE in variables for variables in agent_variables(lab))
    return slow and not connection.execute(REFUSED).fetchone()[0]


RULES: Final = (
    AlertRule(
        name="RateLimitHitsHigh",
        severity="warning",
        summary="More than 100 calls an hour, or a tenth of a quarter of an hour, were refused.",
        fires=sql("""
            select count(*) filter (where status = 'rate_limit') > 100
                or (count(*) filter (where status = 'rate_limit' and young) >= 3
                    and count(*) filter (where status = 'rate_limit' and young)
                        > 0.1 * count(*) filter (where young))
            from (select status, occurred_at > now() - interval '15 min' as young
                  from composio_audit_events a
                  where occurred_at > now() - interval '1 h'
                    and not exists (
                        select from mission_metadata m
                        where m.mission_id = a.mission_id
                          and m.metadata_key in ('composio_parking', 'composio_resumed'))) as call
            """),
        service="composio",
    ),
    AlertRule(
        name="DiscoveryRepeated",
        severity="warning",
        summary="A mission asked Composio for toolkits more than five times within an hour.",
        fires=sql("""
            select exists (
                select from telemetry_events
                where event_type = 'composio_discovery'
                  and created_at > now() - interval '1 h'
                group by mission_id
                having count(*) > 5)
            """),
        service="composio",
    ),
    AlertRule(
        name="PaceLeftBehind",
        severity="warning",
        summary="The agent pauses before each call, and nothing was refused for 15 minutes.",
        fires=_pace_left,
        service="composio",
    ),
)
