"""How much of the platform is affected, and the severity that follows from it.

Live is a mission in progress with an active session that waits for nobody. Affected is a live
mission whose agent is silent, that had three errors or more which are a fifth of its events, whose
tool calls failed three times within the window, or that was stopped with an error; unseen is one of
which no event came for 15 minutes. The figures are the platform's own: 90 s and 15 minutes of
silence, three failures in a row open the circuit, a quarter of the users makes a SEV2.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.mission_state import (
    FAILED_AROUND,
    ON_PURPOSE,
    WAITING,
)
from runbook_nb.probes.connections import Database
from runbook_nb.timeline.events import Impact, ImpactFigure

MAJOR: Final = 0.25
FAILURES: Final = 3

# Live is also a mission that was stopped at Execute within the window, unless a reason was given
# for it and no error: that was done on purpose. A single one without either is one person's hand.
AFFECTED: Final = f"""
with at_work as (
    select m.id,
           m.tenant_id,
           min(least(s.last_heartbeat_at, s.updated_at)) as beat_at,
           min(s.created_at) as began_at
    from missions m
    join mission_sessions s on s.mission_id = m.id and s.status = 'active'
    where m.status = 'in_progress'
      and not {WAITING}
    group by m.id, m.tenant_id
),
blocked as (
    select m.id, m.tenant_id, {FAILED_AROUND} as failed
    from missions m
    where m.status = 'blocked'
      and m.current_stage = 'Execute'
      and m.updated_at > now() - greatest(%(window)s, interval '15 minutes')
      and not {ON_PURPOSE}
),
stopped as (
    select id, tenant_id
    from blocked
    where failed or (select count(*) from blocked) > 1
),
seen as (
    select l.id,
           l.tenant_id,
           l.beat_at < now() - interval '90 seconds' as silent,
           count(t.id) filter (where t.status = 'error') as errors,
           count(t.id) filter (where t.event_type <> 'session_heartbeat') as events,
           (select count(*) from composio_audit_events a
            where a.mission_id = l.id
              and a.status <> 'success'
              and a.occurred_at > now() - %(window)s) as failed_calls,
           l.began_at < now() - interval '90 seconds'
           and not exists (select from telemetry_events e
                           where e.mission_id = l.id
                             and e.created_at > now() - interval '15 minutes') as unseen
    from at_work l
    left join telemetry_events t
      on t.mission_id = l.id
     and t.created_at > now() - %(window)s
     and t.created_at <= now() + interval '5 seconds'
    group by l.id, l.tenant_id, l.beat_at, l.began_at
)
select id as mission_id, tenant_id, silent, errors, failed_calls, unseen, false as stopped,
       silent
       or (errors >= {FAILURES} and errors * 5 >= events)
       or failed_calls >= {FAILURES} as impaired
from seen
union all
select id, tenant_id, false, 0, 0, false, true, true
from stopped
order by impaired desc, mission_id
"""

# The share of errors among what missions do; where they do little, among all that is stored. The
# newest minute tells of trouble that has only begun, and one tenant of what hides behind others.
ERROR_SHARES: Final = """
with event as (
    select tenant_id, created_at, status = 'error' as failed,
           event_type not in ('session_heartbeat', 'streaming_heartbeat_metrics') as work
    from telemetry_events
    where created_at > now() - %(window)s
      and created_at <= now() + interval '5 seconds'
),
slice as (
    select 'the window' as among, event.* from event
    union all
    select 'the newest minute', event.* from event where created_at > now() - interval '1 minute'
    union all
    select 'tenant ' || tenant_id, event.* from event where tenant_id is not null
)
select among,
       count(*) as events,
       count(*) filter (where work) as of_work,
       count(*) filter (where failed) as errors,
       round(100.0 * count(*) filter (where failed)
             / case when count(*) filter (where failed) >= %(least)s
                    then greatest(count(*) filter (where work or failed), 1)
                    else count(*) end, 2)::float as percent
from slice
group by among
order by count(*) filter (where failed) >= %(least)s desc, percent desc, among
"""
# Fewer errors are one user's luck.
LEAST_ERRORS: Final = 5

# Rows that belong together and do not: a stage without its rows, a result without its evidence.
# Only what is known to have been there can be lost: the mission passed a stage, or told of it.
LOST: Final = """
select 'mission without stage rows' as lost, m.id as mission_id
from missions m
where m.status <> 'draft'
  and coalesce(m.completed_at, m.ready_at, m.brief_locked_at) < now() - interval '15 minutes'
  and not exists (select from mission_stage_status s where s.mission_id = m.id)
union all
select 'completed mission without evidence', m.id
from missions m
where m.status = 'completed'
  and not exists (select from mission_evidence e where e.mission_id = m.id)
  and (exists (select from mission_artifacts a where a.mission_id = m.id)
       or exists (select from telemetry_events t
                  where t.mission_id = m.id
                    and t.event_type in ('evidence_bundle_generated', 'evidence_opened')))
"""

# Heartbeats carry figures only; leaving them out keeps the search for words short. An address is
# no file of two resolutions, no place of a repository and no version of a package.
LEAKS: Final = r"""
select 'telemetry with a secret or an address' as leak, count(*)::int as rows
from telemetry_events
where created_at > now() - interval '24 hours'
  and event_type <> 'session_heartbeat'
  and (regexp_replace(
           context::text,
           '\m(git|hg|svn|ssh)@[a-z0-9.-]+|@[0-9.]+x[.][a-z]+'
           || '|[a-z0-9._+/-]+@[a-z0-9._-]+[.]'
           || '(png|jpe?g|gif|svg|webp|ico|css|m?js|tsx?|json|map)\M',
           '', 'gi'
       ) ~* '[a-z0-9._+-]+@[a-z0-9-]+([.][a-z0-9-]+)*[.][a-z]{2,}'
       or context::text ~ '\m(sk|pk)[-_][A-Za-z0-9]{16,}'
       or context::text ~ '\mxox[abp]-[A-Za-z0-9-]{10,}'
       or context::text ~* '\mbearer [A-Za-z0-9._-]{16,}')
union all
select 'telemetry under a foreign tenant', count(*)::int
from telemetry_events t
join missions m on m.id = t.mission_id
where t.created_at > now() - interval '24 hours'
  and t.event_type <> 'session_heartbeat'
  and t.tenant_id <> m.tenant_id
union all
select 'table without row level security', count(*)::int
from pg_class c
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
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


def error_shares(database: Database, *, window: timedelta) -> list[dict[str, Any]]:
    """Return the share of errors in the window, its newest minute and by tenant, the worst first.

    Empty when no event was stored; from fewer than five errors on, a share says nothing by itself.
    """
    return database.rows(ERROR_SHARES, window=window, least=LEAST_ERRORS)


def error_percent(shares: list[dict[str, Any]]) -> float:
    """Return the worst share with five errors or more; 0 where no part has so many."""
    worst = next((row for row in shares if row["errors"] >= LEAST_ERRORS), None)
    return float(worst["percent"]) if worst else 0.0


def _tenants(rows: list[dict[str, Any]]) -> int:
    return len({row["tenant_id"] for row in rows})
