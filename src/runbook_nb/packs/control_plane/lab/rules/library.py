"""Alert rules for the library: its vectors, its index, and what searches find."""

import json
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

# The nightly evaluation's figures: the index finds nine of ten, a tenant gets most of its rows.
RECALL: Final = 0.9
SHARE: Final = 0.8

MISSING: Final = """
select exists (
    select from library_entries e
    where e.updated_at < now() - interval '15 minutes'
      and not exists (select from library_embeddings v where v.entry_id = e.id))
"""
MODELS: Final = """
select count(distinct regexp_replace(coalesce(embedding_model, ''), '^models/', '')) > 1
from library_embeddings
"""
UNUSABLE: Final = """
select exists (select from library_embeddings where vector_norm(embedding) = 0)
"""
SHARED: Final = """
select exists (
    select from library_embeddings v
    join library_entries e on e.id = v.entry_id
    group by md5(vector_send(v.embedding))
    having count(distinct e.title || coalesce(e.description, '')) > 1)
"""
# The nearest neighbour of what was written lately is about the same subject, or nearly always.
STRANGE: Final = """
with lately as (
    select e.id, e.category, v.embedding
    from library_entries e
    join library_embeddings v on v.entry_id = e.id
    where e.updated_at > now() - interval '1 day'
      and vector_norm(v.embedding) > 0
    limit 20
)
select count(*) filter (where near.category <> lately.category) >= 3
from lately
cross join lateral (
    select e.category
    from library_embeddings v
    join library_entries e on e.id = v.entry_id
    where v.entry_id <> lately.id
    order by v.embedding <=> lately.embedding
    limit 1
) near
"""
INDEX: Final = """
select not exists (
           select from pg_index i join pg_class c on c.oid = i.indexrelid
           join pg_am a on a.oid = c.relam
           join pg_opclass o on o.oid = i.indclass[0]
           where i.indrelid = 'library_embeddings'::regclass and a.amname = 'hnsw'
             and i.indisvalid and o.opcname = 'vector_cosine_ops')
    or exists (
           select from pg_index i
           where i.indrelid = 'library_embeddings'::regclass and not i.indisvalid
             and not exists (select from pg_stat_progress_create_index p
                             where p.relid = i.indrelid))
"""
FOUND: Final = """
with query as (
    select entry_id, embedding from library_embeddings
    where vector_norm(embedding) > 0 order by entry_id limit 5
)
select array_agg(query.entry_id || '/' || near.entry_id)
from query
cross join lateral (
    select v.entry_id from library_embeddings v
    order by v.embedding <=> query.embedding limit 10
) near
"""
LARGE: Final = """
select tenant_id::text from library_entries
where tenant_id is not null
group by tenant_id having count(*) > 150
"""
OTHERS: Final = """
select t.id::text, v.embedding::text
from tenants t
join library_entries e on e.tenant_id = t.id
join library_embeddings v on v.entry_id = e.id
where t.id <> %s::uuid and exists (
    select from library_entries o where o.tenant_id = %s::uuid and o.category = e.category
    group by o.category having count(*) > 100)
order by e.id limit 3
"""
AS_TENANT: Final = "select count(*) from search_library_entries(%s::vector, 0.25, 20)"


def _recall_low(_lab: LabState, connection: Any) -> bool:
    """Tell whether the index finds too few of the true nearest; without one it finds all."""
    found = []
    for off in (("enable_seqscan", "enable_sort"), ("enable_indexscan",)):
        with connection.transaction():
            for setting in off:
                connection.execute(f"set local {setting} = off")
            found.append(connection.execute(FOUND).fetchone()[0] or [])
    seen, true = found
    return bool(true) and len(set(seen) & set(true)) < RECALL * len(set(true))


def _crowded_out(lab: LabState, connection: Any) -> bool:
    """Tell whether a tenant beside a large one gets fewer rows than it could."""
    large = connection.execute(LARGE).fetchone()
    if large is None:
        return False
    import psycopg

    asked = connection.execute(OTHERS, (large[0], large[0])).fetchall()
    with psycopg.connect(read_secret(lab.folder, "viewer.dsn"), autocommit=True) as viewer:
        return any(_few(viewer, tenant, vector) for tenant, vector in asked)


def _few(viewer: Any, tenant: str, vector: str) -> bool:
    counts = []
    for off in (("enable_seqscan", "enable_sort"), ("enable_indexscan",)):
        with viewer.transaction():
            for setting in off:
                viewer.execute(f"set local {setting} = off")
            claims = json.dumps({"tenant_id": tenant, "roles": []})
            viewer.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
            viewer.execute("set local role authenticated")
            counts.append(viewer.execute(AS_TENANT, (vector,)).fetchone()[0])
    return bool(counts[0] < SHARE * counts[1])


def _rule(name: str, summary: str, fires: Any) -> AlertRule:
    return AlertRule(name=name, severity="warning", summary=summary, fires=fires, service="library")


RULES: Final = (
    _rule(
        "LibraryEntriesWithoutVector",
        "Entries of the library have had no vector for more than 15 minutes.",
        sql(MISSING),
    ),
    _rule("LibraryModelsMixed", "The library's vectors are of more than one model.", sql(MODELS)),
    _rule("LibraryVectorsUnusable", "Vectors of the library have no direction.", sql(UNUSABLE)),
    _rule("LibraryVectorsShared", "Different texts of the library share a vector.", sql(SHARED)),
    _rule(
        "LibraryNeighboursStrange",
        "Entries that were written lately lie among those of other subjects.",
        sql(STRANGE),
    ),
    _rule(
        "LibraryIndexBroken",
        "The library's index is missing, invalid, or has an unfinished copy beside it.",
        sql(INDEX),
    ),
    _rule(
        "LibraryRecallLow",
        "The library's index finds fewer than nine of the ten nearest entries.",
        _recall_low,
    ),
    _rule(
        "LibraryTenantCrowdedOut",
        "A tenant's searches get fewer than 80 % of the rows that they could.",
        _crowded_out,
    ),
)
