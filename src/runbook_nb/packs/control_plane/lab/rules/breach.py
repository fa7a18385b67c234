"""Alert rules for breaches: rows, evidence and buckets that others may see, and who takes much."""

from typing import Any, Final

import httpx

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

# As the platform was made, these are open to everybody; they are no news.
KNOWN: Final = ("mission_readiness", "mission_stage_progress")
_OPEN: Final = """
select c.relname::text
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'mission_id'
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'v', 'm')
  and c.relname <> all(%s)
  and c.relname !~ '^(adoption|agent|executive|governance|operations)_.*_mv$'
  and has_table_privilege('anon', c.oid, 'SELECT')
"""
# A row costs its policy, so a few missions stand for all.
_SOME: Final = "select id from missions where status = 'completed' order by created_at limit 5"


def _open_to_anybody(lab: LabState, connection: Any) -> bool:
    """Ask as somebody without a token for any row of a mission."""
    import psycopg
    from psycopg import sql as text

    relations = [name for (name,) in connection.execute(_OPEN, [list(KNOWN)])]
    some = [row[0] for row in connection.execute(_SOME)]
    asked = text.SQL(" union all ").join(
        text.SQL("select exists (select from public.{} where mission_id = any(%(ids)s))").format(
            text.Identifier(name)
        )
        for name in relations
    )
    dsn = read_secret(lab.folder, "viewer.dsn")
    with psycopg.connect(dsn, autocommit=True) as side, side.transaction(force_rollback=True):
        try:
            side.execute("set local role anon")
            return any(found for (found,) in side.execute(asked, {"ids": some}))
        except psycopg.errors.InsufficientPrivilege:
            return False


def _bucket_is_public(lab: LabState, connection: Any) -> bool:
    """Ask without a key for the newest artifact's object, in each bucket that may hold it."""
    newest = "select storage_path from mission_artifacts where storage_path is not null limit 1"
    row = connection.execute(newest).fetchone()
    url = f"http://127.0.0.1:{lab.ports['supabase_storage']}/storage/v1/object/public"
    paths = (row[0], f"evidence-versions/{row[0]}") if row else ()
    return any(
        httpx.head(f"{url}/{path}", trust_env=False, verify=NO_CERTIFICATES).is_success
        for path in paths
    )


def _rule(name: str, summary: str, fires: Any) -> AlertRule:
    return AlertRule(
        name=name, severity="critical", summary=summary, fires=fires, service="security"
    )


RULES: Final = (
    _rule(
        "RowsOpenToAnybody", "Somebody without a token reads rows of missions.", _open_to_anybody
    ),
    _rule(
        "PrivateDataStored",
        "An event of the last hour, or evidence or feedback of the last day, holds private data.",
        sql(r"""
            with text as (
                select context::text as said from telemetry_events
                where created_at > now() - interval '1 h' and event_type <> 'session_heartbeat'
                union all
                select display_message from mission_evidence
                where created_at > now() - interval '1 day'
                union all
                select qualitative_notes from mission_feedback
                where submitted_at > now() - interval '1 day'
            )
            select exists (
                select from text
                where said ~* '\m[a-z0-9._+-]+@[a-z0-9-]+[.](com|org|net|example)\M[^:]'
                   or said ~* '\mbearer [a-z0-9._-]{16,}')
            """),
    ),
    _rule(
        "EventsMisfiled",
        "Events of the last 30 days are filed under another tenant than their mission's.",
        sql("""
            select exists (
                select from telemetry_events t join missions m on m.id = t.mission_id
                where t.tenant_id <> m.tenant_id and t.created_at > now() - interval '30 days')
            """),
    ),
    _rule(
        "EvidenceShownUnreviewed",
        "Evidence that waits for its review was opened by somebody who does not approve it.",
        sql("""
            select exists (
                select
                from mission_evidence e
                join mission_artifacts a on a.id = e.artifact_id
                join telemetry_events t on t.mission_id = e.mission_id
                     and t.event_type = 'evidence_opened' and t.created_at > e.created_at
                     and t.context ->> 'artifact_id' = a.id::text
                where e.redaction_status = 'pending_review'
                  and a.storage_path like 'evidence/%%'
                  and not exists (select from mission_approvals p
                                  where p.mission_id = e.mission_id
                                    and p.approver_id = t.user_id))
            """),
    ),
    _rule(
        "ExportsUnusual",
        "One account opened or exported more than 15 artifacts within an hour.",
        sql("""
            select exists (
                select from telemetry_events t
                where t.event_type in ('evidence_opened', 'approval_exported')
                  and t.created_at > now() - interval '1 h'
                  and (t.user_id is null
                       or exists (select from auth.sessions s where s.user_id = t.user_id))
                group by t.user_id
                having count(distinct t.context ->> 'artifact_id') > 15)
            """),
    ),
    _rule("EvidenceBucketPublic", "A stranger is given an object of a mission.", _bucket_is_public),
)
