"""The proof of a restore: the copy against the source, catalogue, rows and vectors."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.jobs import JOBS as COMMITTED_JOBS
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

# The tables whose content the platform's own checklist asks to be equal.
CRITICAL: Final = (
    "missions",
    "mission_approvals",
    "undo_events",
    "mission_evidence",
    "composio_audit_events",
)
DIMENSIONS: Final = 1536
# A transaction may stamp its rows before the restored moment, and commit after it.
MARGIN: Final = timedelta(minutes=1)
_SHOWN: Final = 20

CATALOGUE: Final = """
select 'table ' || c.relname || '.' || a.attname || ' '
       || format_type(a.atttypid, a.atttypmod) as entry
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v', 'm', 'p')
union all
select 'enum ' || t.typname || ' ' || e.enumlabel
from pg_enum e
join pg_type t on t.oid = e.enumtypid
where t.typnamespace = 'public'::regnamespace
union all
select 'policy ' || tablename || '.' || policyname || ' '
       || md5(concat_ws('|', permissive, roles, cmd, qual, with_check))
from pg_policies
where schemaname = 'public'
union all
select 'row security ' || relname || ' ' || relrowsecurity
from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r'
union all
select 'trigger ' || md5(pg_get_triggerdef(oid)) || ' ' || tgname
from pg_trigger
where not tgisinternal
union all
select 'function ' || p.proname || ' ' || md5(p.prosrc)
from pg_proc p
where p.pronamespace = 'public'::regnamespace
union all
select 'index ' || indexname || ' ' || md5(indexdef)
from pg_indexes
where schemaname = 'public'
union all
select 'view ' || relname || ' ' || md5(pg_get_viewdef(oid))
from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
union all
select 'extension ' || extname || ' ' || extversion
from pg_extension
"""

JOBS: Final = "select jobname from cron.job where active"

# Every table has one of these; a row that changed after the restored moment is not compared.
ROWS: Final = """
select t.id::text as id,
       md5(t::text) as content,
       coalesce(
           (to_jsonb(t) ->> 'updated_at')::timestamptz,
           (to_jsonb(t) ->> 'created_at')::timestamptz,
           (to_jsonb(t) ->> 'occurred_at')::timestamptz
       ) as changed_at
from public.{table} t
"""

# Each foreign key as a question: how many of its rows point to nothing?
FOREIGN_KEYS: Final = """
select format(
         'select %%L as key, count(*) as orphans from %%s child where child.%%I is not null '
         'and not exists (select from %%s parent where parent.%%I = child.%%I)',
         c.conname, c.conrelid::regclass, a.attname, c.confrelid::regclass, r.attname, a.attname
       ) as question
from pg_constraint c
join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
join pg_attribute r on r.attrelid = c.confrelid and r.attnum = c.confkey[1]
where c.contype = 'f' and c.connamespace = 'public'::regnamespace
"""

VECTORS: Final = """
select count(*) as vectors,
       count(*) filter (where vector_dims(embedding) <> %(dimensions)s) as of_other_length,
       min(entry_id::text) as first
from library_embeddings
"""

NEIGHBOURS: Final = """
select entry_id::text as entry
from library_embeddings
order by embedding <=> (
    select embedding from library_embeddings where entry_id = %(entry)s::uuid
), entry_id
limit 5
"""


def compare(copy: Database, systems: Systems, *, reached: datetime) -> dict[str, list[Any]]:
    """Return how a copy that was restored to ``reached`` differs from its source, by subject."""
    source = systems.database()
    return {
        "catalogue": _catalogue(copy, source, jobs=COMMITTED_JOBS.committed(systems)),
        "rows": [
            *(each for table in CRITICAL for each in _rows(copy, source, table, reached)),
            *orphans(copy),
        ],
        "vectors": _vectors(copy, source),
    }


def _catalogue(copy: Database, source: Database, *, jobs: Iterable[str]) -> list[str]:
    there = {row["entry"] for row in copy.rows(CATALOGUE)}
    here = {row["entry"] for row in source.rows(CATALOGUE)}
    copied = {row["jobname"] for row in copy.rows(JOBS)}
    return [
        *(f"missing in the copy: job {name}" for name in jobs if name not in copied),
        *(f"missing in the copy: {entry}" for entry in sorted(here - there)),
        *(f"only in the copy: {entry}" for entry in sorted(there - here)),
    ][:_SHOWN]


def _rows(copy: Database, source: Database, table: str, reached: datetime) -> list[dict[str, Any]]:
    """Compare the checksum of each row of the source that is older than the restored moment."""
    query = ROWS.format(table=table)
    there = {row["id"]: row["content"] for row in copy.rows(query)}
    older = [row for row in source.rows(query) if row["changed_at"] <= reached - MARGIN]
    wrong = [row["id"] for row in older if there.get(row["id"]) != row["content"]]
    if not wrong:
        return []
    return [{"table": table, "compared": len(older), "differ": len(wrong), "ids": wrong[:_SHOWN]}]


def orphans(database: Database) -> list[dict[str, Any]]:
    """Return the foreign keys with rows that point to nothing, and how many."""
    questions = [row["question"] for row in database.rows(FOREIGN_KEYS)]
    return [row for row in database.rows(" union all ".join(questions)) if row["orphans"]]


def _vectors(copy: Database, source: Database) -> list[str]:
    there = copy.row(VECTORS, dimensions=DIMENSIONS)
    here = source.row(VECTORS, dimensions=DIMENSIONS)
    wrong = []
    if there["vectors"] < here["vectors"]:
        wrong.append(f"{there['vectors']} embeddings; the source has {here['vectors']}")
    if there["of_other_length"]:
        wrong.append(f"{there['of_other_length']} embeddings have not {DIMENSIONS} numbers")
    if there["vectors"] == here["vectors"] and there["first"]:
        found = [each.rows(NEIGHBOURS, entry=there["first"]) for each in (copy, source)]
        if found[0] != found[1]:
            wrong.append(f"the neighbours of {there['first']} differ")
    return wrong
