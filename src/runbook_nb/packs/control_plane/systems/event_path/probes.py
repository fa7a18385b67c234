"""What is read of the way of an event into its table."""

from dataclasses import asdict
from datetime import timedelta
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.event_path._path import between, proven, watched
from runbook_nb.packs.control_plane.systems.event_path._rights import lacking
from runbook_nb.probes.calls import Reading, Systems, probe

# The first interval behind the table's name; a purge that names none cannot be judged.
REACH: Final = """
select p.proname::text as function,
       j.jobname,
       j.active,
       substring(p.prosrc from
           'telemetry_events\\s+where\\s+created_at\\s*<\\s*now\\(\\)\\s*-\\s*interval\\s*''([^'']+)''')
           as keeps
from cron.job j
join pg_proc p on j.command ~ ('\\m' || p.proname || '\\(')
where p.pronamespace = 'public'::regnamespace
  and p.prosrc ~* 'delete\\s+from\\s+(public\\.)?telemetry_events'
order by j.jobname
"""
DAYS: Final = "select extract(epoch from %(keeps)s::interval) / 86400 as days"


@probe(unit="triggers", timeout_s=150)
def taking(systems: Systems, *, watch: timedelta) -> Reading:
    """Count triggers and rules that take events away as they are stored.

    A trigger counts by two signs: its text does it, and while we watch rows vanish or live
    missions beat without an event. One that writes an audit of its own is listed and not counted.
    """
    database = systems.database()
    found = between(database)
    if not found:
        return Reading(value=0, detail=[{"between an insert and its row": "nothing"}])
    seen = watched(database, watch)
    taken = proven(found, seen)
    rows = [{"takes events": one in taken, **one} for one in found]
    return Reading(value=len(taken), detail=[asdict(seen), *rows])


@probe(unit="rights")
def refused(systems: Systems) -> Reading:
    """Count rights that a writer of events lacks: SQLSTATE 42501 is what it is answered."""
    rows = lacking(systems.database())
    return Reading(value=len(rows), detail=rows)


@probe(unit="d")
def purge_reach(systems: Systems) -> Reading:
    """Return how many days of events the purge keeps, by its own text; a held one keeps all.

    Retention: events are kept for 180 days. Raises NoAnswerError where no job purges, or where its
    text names no interval.
    """
    database = systems.database()
    rows = database.rows(REACH)
    if not rows:
        message = "No scheduled job purges telemetry_events, so there is no reach to judge."
        raise NoAnswerError(message)
    active = [row for row in rows if row["active"]]
    if any(row["keeps"] is None for row in active):
        message = "A job purges telemetry_events, and its text names no interval that can be read."
        raise NoAnswerError(message)
    reaches = [float(database.value(DAYS, keeps=row["keeps"])) for row in active]
    return Reading(value=round(min(reaches, default=float(10_000)), 1), detail=rows)
