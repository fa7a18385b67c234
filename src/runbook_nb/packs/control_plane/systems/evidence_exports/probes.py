"""What is read of exports."""

from typing import Final

from runbook_nb.packs.control_plane.systems.evidence_exports._actors import compared, standing
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure

# Three times the norm is unusual.
UNUSUAL: Final = 3.0
BY_STOPPED: Final = """
select u.id::text as actor, count(t.id) as exports, min(t.created_at) as first,
       max(t.created_at) as last
from auth.users u
join telemetry_events t on t.user_id = u.id
     and t.event_type in ('evidence_opened', 'approval_exported')
     and t.created_at > (u.raw_app_meta_data ->> 'stopped_at')::timestamptz + interval '5 seconds'
where u.banned_until > now()
  and u.raw_app_meta_data ? 'stopped_at'
group by u.id
"""


@probe(unit="times", timeout_s=30)
def unusual(systems: Systems) -> Reading:
    """Return how many times the usual the busiest actor took out who may still do so.

    Counted are different artifacts within an hour (at least 10) or a day (at least 20). An actor
    who is banned and has no session left may not.
    """
    database = systems.database()
    rows = compared(database)
    known = standing(database, [row["actor"] for row in rows])
    for row in rows:
        held = known.get(row["actor"])
        row["stopped"] = bool(held and held["banned"] and not held["sessions"])
    worst = max((row["times usual"] for row in rows if not row["stopped"]), default=0.0)
    many = [row for row in rows if row["times usual"] > UNUSUAL]
    taken = sum(row["artifacts"] for row in many)
    figure = ImpactFigure(name="Artifacts taken out unusually", value=f"{taken}", weight=taken)
    impact = Impact(severity="SEV1" if many else "", figures=(figure,))
    return Reading(value=worst, detail=rows[:20], impact=impact)


@probe(unit="exports")
def by_stopped(systems: Systems) -> Reading:
    """Count exports by people after they were stopped; a token that is out lives on for an hour."""
    rows = systems.database().rows(BY_STOPPED)
    return Reading(value=sum(row["exports"] for row in rows), detail=rows)
