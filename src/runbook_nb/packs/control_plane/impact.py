"""How much of the platform is affected, and the severity that follows from it.

Live is a mission in progress with an active session. Affected is a live mission whose agent is
silent, that had an error, or whose tool calls failed three times within the window; unseen is one
of which no event came for 15 minutes. The figures are the platform's own: 90 s and 15 minutes of
silence, three failures in a row open the circuit, a quarter of the users makes a SEV2.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from runbook_nb.probes.connections import Database
from runbook_nb.timeline.events import Impact, ImpactFigure

MAJOR: Final = 0.25

AFFECTED: Final = """
with live as (
    select m.id, m.tenant_id, min(s.last_heartbeat_at) as beat_at
    from missions m
    join mission_sessions s on s.mission_id = m.id and s.status = 'active'
    where m.status = 'in_progress'
    group by m.id, m.tenant_id
),
seen as (
    select l.id,
           l.tenant_id,
           l.beat_at < now() - interval '90 seconds' as silent,
           (select count(*) from telemetry_events t
            where t.mission_id = l.id and t.status = 'error'
              and t.created_at > now() - %(window)s) as errors,
           (select count(*) from composio_audit_events a
            where a.mission_id = l.id and a.status <> 'success'
              and a.occurred_at > now() - %(window)s) as failed_calls,
           not exists (select from telemetry_events t
                       where t.mission_id = l.id
                         and t.created_at > now() - interval '15 minutes') as unseen
    from live l
)
select id as mission_id, tenant_id, silent, errors, failed_calls, unseen,
       silent or errors > 0 or failed_calls >= 3 as impaired
from seen
order by impaired desc, id
"""

# Rows that belong together and do not: a stage without its rows, a result without its evidence.
LOST: Final = """
select 'mission without stage rows' as lost, m.id as mission_id
from missions m
where m.status <> 'draft'
  and not exists (select from mission_stage_status s where s.mission_id = m.id)
union all
select 'completed mission without evidence', m.id
from missions m
where m.status = 'completed'
  and not exists (select from mission_evidence e where e.mission_id = m.id)
"""

# Heartbeats carry figures only; leaving them out keeps the search for words short.
LEAKS: Final = r"""
select 'telemetry with a secret or an address' as leak, count(*)::int as rows
from telemetry_events
where created_at > now() - interval '24 hours'
  and event_type <> 'session_heartbeat'
  and (context::text ~* '[a-z0-9._+-]+@[a-z0-9-]+[.][a-z]{2,}'
       or context::text ~ '\m(sk|pk)[-_][A-Za-z0-9]{16,}'
       or context::text ~ '\mxox[abp]-[A-Za-z0-9-]{10,}'
       or context::text ~* '\mbearer [A-Za-z0-9._-]{16,}')
union all
select 'telemetry under a foreign tenant', count(*)::int
from telemetry_events t
join missions m on m.id = t.mission_id
where t.created_at > now() - interval '24 hours'
  and t.event_type <> 'session_heartbeat'
  and t.tenant_id is distinct from m.tenant_id
union all
select 'table without row level security', count(*)::int
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind = 'r'
  and not c.relrowsecurity
  and c.relname <> 'personas'
"""


@dataclass(frozen=True, kw_only=True)
class BlastRadius:
    """What is affected now: numbers only, so that they may be said anywhere."""

    live: int
    impaired: int
    unseen: int
    tenants: int
    tenants_affected: int
    lost: int
    leaks: int

    @property
    def affected(self) -> int:
        """The live missions that are impaired or unseen."""
        return max(self.impaired, self.unseen)

    @property
    def severity(self) -> str:
        """The severity by the platform's levels: ``SEV1``, ``SEV2``, ``SEV3`` or ``none``."""
        outage = self.live > 0 and self.impaired == self.live
        if outage or self.lost or self.leaks:
            return "SEV1"
        if self.unseen or self.impaired >= MAJOR * max(self.live, 1):
            return "SEV2"
        return "SEV3" if self.impaired else "none"

    @property
    def impact(self) -> Impact:
        """The figures as an incident's record tells them."""
        reach = (
            ("Live missions affected", self.affected, self.live),
            ("Tenants affected", self.tenants_affected, self.tenants),
        )
        harm = (("Missions that lost rows", self.lost), ("Signs of a leak", self.leaks))
        return Impact(
            severity="" if self.severity == "none" else self.severity,
            figures=(
                *(
                    ImpactFigure(name=name, value=f"{part:,} of {whole:,}", weight=part)
                    for name, part, whole in reach
                ),
                *(
                    ImpactFigure(name=name, value=f"{count:,}", weight=count)
                    for name, count in harm
                ),
            ),
        )

    @property
    def said(self) -> str:
        """The figures in one sentence without a name."""
        words = f"{self.affected} of {self.live} live missions affected"
        words += f", {self.tenants_affected} of {self.tenants} tenants"
        words += f", {self.lost} missions lost rows" if self.lost else ""
        return words + (", signs of a leak" if self.leaks else "")


def measure(database: Database, *, window: timedelta) -> BlastRadius:
    """Read how much is affected; ``window`` is how far back errors and failed calls count."""
    missions = database.rows(AFFECTED, window=window)
    touched = [row for row in missions if row["impaired"] or row["unseen"]]
    return BlastRadius(
        live=len(missions),
        impaired=sum(bool(row["impaired"]) for row in missions),
        unseen=sum(bool(row["unseen"]) for row in missions),
        tenants=_tenants(missions),
        tenants_affected=_tenants(touched),
        lost=len({row["mission_id"] for row in database.rows(LOST)}),
        leaks=sum(row["rows"] for row in database.rows(LEAKS)),
    )


def _tenants(rows: list[dict[str, Any]]) -> int:
    return len({row["tenant_id"] for row in rows})
