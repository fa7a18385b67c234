"""Searches of the library: by the index, exactly, and as a tenant."""

import json
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._gemini import embed, vector_text
from runbook_nb.packs.control_plane.systems.library_search._settings import apply, effective
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.connections import Database

TOP: Final = 10
EXACT: Final = {"enable_indexscan": "off", "enable_bitmapscan": "off", "jit": "off"}
# With these the planner takes the order from the index, whatever the size of the table.
BY_INDEX: Final = {"enable_seqscan": "off", "enable_sort": "off", "jit": "off"}
SAMPLE: Final = """
select coalesce(t.slug, 'everybody''s') as owner,
       v.embedding::text as vector
from library_embeddings v
join library_entries l on l.id = v.entry_id
left join tenants t on t.id = l.tenant_id
where vector_norm(v.embedding) > 0
order by md5(v.entry_id::text)
limit %(limit)s
"""
NEAREST: Final = """
select q.place::int as place,
       array_agg(f.distance order by f.distance) as distances
from unnest(%(vectors)s::text[]::vector[]) with ordinality as q (vector, place)
cross join lateral (
    select v.embedding <=> q.vector as distance
    from library_embeddings v
    order by v.embedding <=> q.vector
    limit %(top)s
) as f
group by q.place
order by q.place
"""
PLAN: Final = """
explain (format json)
select entry_id from library_embeddings
order by embedding <=> (select %(vector)s::vector(1536))
limit 10
"""
# What missions were asked for, and its subject: the team's own labelled queries.
LABELLED: Final = """
with query as (
    select distinct t.slug as tenant,
           t.id::text as tenant_id,
           m.intent ->> 'text' as text,
           m.intent ->> 'category' as category
    from missions m
    join tenants t on t.id = m.tenant_id
    where m.intent ->> 'text' <> ''
      and exists (
          select from library_entries l
          where l.category = m.intent ->> 'category'
            and (l.tenant_id is null or l.tenant_id = m.tenant_id))
),
placed as (
    select query.*, row_number() over (partition by tenant order by md5(text)) as place
    from query
)
select tenant, tenant_id, text, category from placed where place <= %(each)s order by tenant, place
"""
BEST: Final = """
select q.place::int as place,
       f.category,
       f.score
from unnest(%(vectors)s::text[]::vector[], %(tenants)s::uuid[])
     with ordinality as q (vector, tenant, place)
left join lateral (
    select l.category, 1 - (v.embedding <=> q.vector) as score
    from library_embeddings v
    join library_entries l on l.id = v.entry_id
    where (l.tenant_id is null or l.tenant_id = q.tenant)
      and vector_norm(v.embedding) > 0
    order by v.embedding <=> q.vector
    limit 3
) as f on true
order by q.place, f.score desc
"""


def sample(database: Database, limit: int) -> list[dict[str, Any]]:
    """Return vectors of the library to search with; raises NoAnswerError where there is none."""
    found = database.rows(SAMPLE, limit=limit)
    if not found:
        raise NoAnswerError("The library holds no vector to search with.")
    return found


def demand_index(database: Database, vector: str) -> None:
    """Raise NoAnswerError where no index can give the order: then nothing is known of one."""
    with database.transaction(rollback=True):
        apply(database, BY_INDEX)
        plan = database.value(PLAN, vector=vector)
    if '"Order By"' not in json.dumps(plan):
        message = "No index of the library can be searched; the check of the index says why."
        raise NoAnswerError(message)


def nearest(
    database: Database, vectors: list[str], *, settings: dict[str, str]
) -> list[list[float]]:
    """Return the distances of the ten nearest to each vector, as these settings find them."""
    with database.transaction(rollback=True):
        apply(database, settings)
        rows = database.rows(NEAREST, vectors=vectors, top=TOP)
    distances = {row["place"]: list(row["distances"]) for row in rows}
    return [distances.get(place, []) for place in range(1, len(vectors) + 1)]


def recalls(database: Database, vectors: list[str], *, wider: dict[str, str]) -> list[float]:
    """Return for each vector which share of its true ten nearest the index finds.

    What lies as near as the tenth counts, whichever entry it is.
    """
    by_index = {**effective(database), **wider, **BY_INDEX}
    found = nearest(database, vectors, settings=by_index)
    exact = nearest(database, vectors, settings=EXACT)
    return [
        sum(distance <= true[-1] + 1e-6 for distance in seen) / len(true)
        for seen, true in zip(found, exact, strict=True)
        if true
    ]


def labelled(systems: Systems, *, each: int, least: int) -> dict[str, list[dict[str, Any]]]:
    """Search exactly for what missions were asked for; returns each tenant's queries with the best.

    A tenant sees its own entries and everybody's. Raises NoAnswerError where no tenant has at least
    ``least`` queries about a subject that its library has.
    """
    asked = systems.database().rows(LABELLED, each=each)
    vectors = [vector_text(vector) for vector in embed(systems, [row["text"] for row in asked])]
    database = systems.database()
    with database.transaction(rollback=True):
        apply(database, EXACT)
        tenants = [row["tenant_id"] for row in asked]
        rows = database.rows(BEST, vectors=vectors, tenants=tenants)
    found: dict[str, list[dict[str, Any]]] = {}
    for place, query in enumerate(asked, start=1):
        best = [row for row in rows if row["place"] == place and row["score"] is not None]
        found.setdefault(query["tenant"], []).append(
            {
                "category": query["category"],
                "found": [row["category"] for row in best],
                "score": best[0]["score"] if best else 0.0,
            }
        )
    enough = {tenant: queries for tenant, queries in found.items() if len(queries) >= least}
    if not enough:
        message = f"No tenant has {least} missions about a subject that the library has."
        raise NoAnswerError(message)
    return enough
