"""Triggers, rules and rights between an insert and a stored event."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.connections import Database

# Internal triggers are those of foreign keys; a disabled one does nothing.
BETWEEN: Final = """
select t.tgname::text as name,
       'trigger' as kind,
       case when t.tgtype & 2 <> 0 then 'before' else 'after' end as moment,
       t.tgenabled::text as mode,
       pg_get_triggerdef(t.oid) as definition,
       l.lanname in ('plpgsql', 'sql') as readable,
       p.prosrc ~* 'return\\s+null' as "returns null",
       p.prosrc ~* 'delete\\s+from\\s+(only\\s+)?(public\\.)?telemetry_events' as deletes
from pg_trigger t
join pg_proc p on p.oid = t.tgfoid
join pg_language l on l.oid = p.prolang
where t.tgrelid = 'public.telemetry_events'::regclass
  and not t.tgisinternal
  and t.tgenabled <> 'D'
  and t.tgtype & 4 <> 0
union all
select rulename::text, 'rule', 'before', ev_enabled::text, pg_get_ruledef(oid), true,
       is_instead and pg_get_ruledef(oid) ~* 'do instead nothing', false
from pg_rewrite
where ev_class = 'public.telemetry_events'::regclass
  and ev_type = '3'
  and ev_enabled <> 'D'
order by name
"""
COUNTED: Final = """
select n_tup_ins as inserted, n_tup_del as deleted, clock_timestamp() as at
from pg_stat_user_tables
where relid = 'public.telemetry_events'::regclass
"""
# Live sessions that beat since then, and those of them that stored an event since then.
SEEN: Final = """
select count(*) as beating,
       count(*) filter (where exists (
           select from telemetry_events t
           where t.mission_id = s.mission_id
             and t.agent_name = s.agent_name
             and t.created_at >= %(since)s)) as seen
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
  and s.last_heartbeat_at >= %(since)s
"""
# Fewer rows deleted in the watch are one mission's luck.
PROOF: Final = 3


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What happened to events while we watched."""

    inserted: int
    deleted: int
    beating: int
    seen: int


def between(database: Database) -> list[dict[str, Any]]:
    """Return what stands between an insert and its row."""
    return database.rows(BETWEEN)


def watched(database: Database, watch: timedelta) -> Watch:
    """Watch the table's counters and the live sessions for a while."""
    before = database.row(COUNTED)
    time.sleep(watch.total_seconds())
    after = database.row(COUNTED)
    seen = database.row(SEEN, since=before["at"])
    return Watch(
        inserted=after["inserted"] - before["inserted"],
        deleted=after["deleted"] - before["deleted"],
        **seen,
    )


def proven(found: list[dict[str, Any]], watch: Watch) -> list[dict[str, Any]]:
    """Return those that take events away: by their text, and by what was seen to happen.

    One sign alone accuses nobody. Raises NoAnswerError where nothing happened that would show it.
    """
    unread = [one["name"] for one in found if not one["readable"]]
    if unread:
        message = f"The function of {', '.join(unread)} is in a language that cannot be read here."
        raise NoAnswerError(message)
    suspects = [one for one in found if one["deletes"] or one["returns null"]]
    if suspects and not (watch.inserted or watch.beating):
        message = "A trigger may take events away, and no event came while we watched."
        raise NoAnswerError(message)
    lost = watch.deleted >= PROOF
    unseen = watch.beating > watch.seen
    return [
        one
        for one in suspects
        if (one["deletes"] and lost)
        or (one["moment"] == "before" and one["returns null"] and unseen)
    ]
