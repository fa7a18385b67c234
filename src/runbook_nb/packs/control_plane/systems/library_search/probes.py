"""What is read of the library's search."""

import json
import time
from statistics import mean, median
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.library_search._queries import (
    BY_INDEX,
    EXACT,
    demand_index,
    labelled,
    recalls,
    sample,
)
from runbook_nb.packs.control_plane.systems.library_search._settings import (
    apply,
    effective,
    said,
)
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.connections import Database
from runbook_nb.timeline.events import Impact, ImpactFigure

# Fewer queries of a tenant are chance.
_LEAST: Final = 10
_SEARCHES: Final = 20
_ROUNDS: Final = 3
# The planner's evaluation: nine of ten queries have what they look for among the first three.
_GOOD: Final = 90
SEARCH: Final = "select count(*) as rows from search_library_entries(%(vector)s::vector, 0.25, 20)"
TENANTS: Final = """
select t.slug as tenant, t.id::text as id, count(l.id) as own
from tenants t
join library_entries l on l.tenant_id = t.id
group by t.id, t.slug
order by count(l.id), t.slug
limit 20
"""
# Vectors of what a tenant sees, of as many subjects as there are.
SEEN: Final = """
select distinct on (l.category) v.embedding::text as vector
from library_embeddings v
join library_entries l on l.id = v.entry_id
where (l.tenant_id is null or l.tenant_id = %(tenant)s::uuid)
  and vector_norm(v.embedding) > 0
order by l.category, l.tenant_id nulls last, md5(l.id::text)
limit 12
"""
BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', 'authenticated', true),
       set_config('row_security', 'on', true)
"""


@probe(unit="%", timeout_s=30)
def precision(systems: Systems, *, queries: int = 12) -> Reading:
    """Return for the worst tenant how often one of the three best is of the subject, in percent.

    Asked is what the tenant's missions were asked for; the subject is the one of the mission. The
    search is exact, so this tells of the vectors and not of the index.
    """
    found = labelled(systems, each=queries, least=_LEAST)
    shares = {
        tenant: 100 * mean(one["category"] in one["found"] for one in asked)
        for tenant, asked in found.items()
    }
    missed: dict[str, int] = {}
    for asked in found.values():
        for one in asked:
            if one["category"] not in one["found"]:
                missed[one["category"]] = missed.get(one["category"], 0) + 1
    detail = {"by tenant": {name: round(share, 1) for name, share in shares.items()}}
    return Reading(
        value=round(min(shares.values()), 1),
        detail={**detail, "missed": missed},
        impact=_impact(sum(share < _GOOD for share in shares.values()), of=len(shares)),
    )


def _impact(poor: int, *, of: int) -> Impact:
    figure = ImpactFigure(
        name="Tenants whose library search misses", value=f"{poor} of {of}", weight=poor
    )
    return Impact(severity="SEV3" if poor else "", figures=(figure,))


@probe(unit="", timeout_s=30)
def best_score(systems: Systems, *, queries: int = 12) -> Reading:
    """Return for the worst tenant the median cosine of the best entry to what was asked for."""
    found = labelled(systems, each=queries, least=_LEAST)
    medians = {
        tenant: round(median(one["score"] for one in asked), 3) for tenant, asked in found.items()
    }
    return Reading(value=min(medians.values()), detail={"by tenant": medians})


@probe(unit="%", timeout_s=30)
def recall(systems: Systems, *, queries: int = 50) -> Reading:
    """Return how many of the true ten nearest the index finds, in percent, for the worst owner.

    Owners are the tenants and everybody; one with fewer than ten vectors in the sample is judged
    with all others. The settings are those of the role that searches most narrowly. Raises
    NoAnswerError where no index can be searched.
    """
    database = systems.database()
    rows = sample(database, queries)
    demand_index(database, rows[0]["vector"])
    found = recalls(database, [row["vector"] for row in rows], wider={})
    by_owner: dict[str, list[float]] = {"all": found}
    for row, share in zip(rows, found, strict=True):
        by_owner.setdefault(row["owner"], []).append(share)
    shares = {
        owner: round(100 * mean(each), 1)
        for owner, each in by_owner.items()
        if owner == "all" or len(each) >= _LEAST
    }
    detail = {"by owner": shares, "settings": effective(database), "queries": len(rows)}
    return Reading(value=min(shares.values()), detail=detail)


@probe(unit="candidates")
def breadth(systems: Systems) -> Reading:
    """Return how many candidates a search of the index looks at, for the narrowest role.

    It is ``hnsw.ef_search``; a search never answers with more rows than that.
    """
    database = systems.database()
    now = effective(database)
    return Reading(
        value=int(now["hnsw.ef_search"]), detail={"effective": now, "said": said(database)}
    )


@probe(unit="ms", timeout_s=60, alone=True)
def latency_p95(systems: Systems, *, searches: int = _SEARCHES) -> Reading:
    """Return the 95th percentile of the time of a search, in milliseconds, as the service asks.

    Three rounds are asked, and the best one counts: what slows a single round down is not the
    search.
    """
    database = systems.database()
    vectors = [row["vector"] for row in sample(database, searches)]
    database.rows(SEARCH, vector=vectors[0])  # the first one loads what the others find loaded
    rounds = [_p95(database, vectors, searches) for _ in range(_ROUNDS)]
    detail = {"searches in a round": searches, "rounds": rounds}
    return Reading(value=min(rounds), detail=detail)


def _p95(database: Database, vectors: list[str], searches: int) -> float:
    took = []
    for place in range(searches):
        began = time.perf_counter()
        database.rows(SEARCH, vector=vectors[place % len(vectors)])
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return round(took[max(0, round(0.95 * len(took)) - 1)], 1)


@probe(unit="%", timeout_s=60)
def tenant_results(systems: Systems) -> Reading:
    """Return how many of the rows that a tenant could get the index gives it, for the worst one.

    Rows of others are dropped after the index has chosen, so a tenant beside a large one can get
    few or none. Asked as each tenant itself, one search for each subject. Raises NoAnswerError
    where no index can be searched, or no tenant has entries.
    """
    database = systems.database()
    settings = effective(database)
    demand_index(database, sample(database, 1)[0]["vector"])
    rows = []
    for tenant in database.rows(TENANTS):
        vectors = [row["vector"] for row in database.rows(SEEN, tenant=tenant["id"])]
        seen = _count(systems, tenant["id"], vectors, {**settings, **BY_INDEX})
        could = _count(systems, tenant["id"], vectors, EXACT)
        worst = [round(100 * a / b, 1) for a, b in zip(seen, could, strict=True) if b]
        if worst:
            rows.append({"tenant": tenant["tenant"], "worst": min(worst), "searches": worst})
    if not rows:
        raise NoAnswerError("No tenant has an entry that a search could give it.")
    rows.sort(key=lambda row: row["worst"])
    return Reading(value=rows[0]["worst"], detail={"settings": settings, "tenants": rows})


def _count(
    systems: Systems, tenant: str, vectors: list[str], settings: dict[str, str]
) -> list[int]:
    """Count the rows that each search gives a tenant."""
    viewer: Database = systems.database("viewer")
    claims: dict[str, Any] = {"tenant_id": tenant, "roles": []}
    with viewer.transaction(rollback=True):
        apply(viewer, settings)
        viewer.rows(BECOME, claims=json.dumps(claims))
        return [int(viewer.row(SEARCH, vector=vector)["rows"]) for vector in vectors]
