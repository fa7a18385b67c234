"""What each caller reads of each table and view, and should."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.probes.connections import Database

EXPECTED: Final = json.loads(
    Path(__file__).with_name("visibility.json").read_text(encoding="utf-8")
)
REFUSED: Final = "refused"
# A row counted as a caller costs about 20 µs; this is the newest 2 MB of a table.
PAGES: Final = 250
TENANTS: Final = """
select t.id::text as id,
       t.slug
from tenants t
left join missions m on m.tenant_id = t.id
group by t.id, t.slug
having count(m.id) > 0 or t.slug = %(tenant)s
order by t.slug = %(tenant)s desc, count(m.id) desc, t.slug
limit 2
"""
# How a relation's rows are told apart: by their mission, their tenant, or not at all.
RELATIONS: Final = """
with relation as (
    select c.relname::text as name,
           c.relkind,
           array_agg(a.attname::text) as columns,
           case when c.relkind = 'r' then format(
               'where x.ctid >= %%L::tid',
               format('(%%s,0)', greatest(
                   pg_relation_size(c.oid) / current_setting('block_size')::int - %(pages)s, 0))
           ) else '' end as newest
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace
      and c.relkind in ('r', 'v', 'm')
    group by c.oid, c.relname, c.relkind
)
select name,
       relkind::text as kind,
       format('select %%L as relation, count(*) as rows from public.%%I x %%s',
              name, name, newest) as counting,
       case
           when name = 'tenants' then
               format('select %%L as relation, x.id::text as owner, false as draft, '
                      'count(*) as rows from public.%%I x %%s group by 2, 3', name, name, newest)
           when 'mission_id' = any(columns) then
               format('select %%L as relation, m.tenant_id::text as owner, '
                      'coalesce(m.status = ''draft'', false) as draft, count(*) as rows '
                      'from public.%%I x left join public.missions m on m.id = x.mission_id '
                      '%%s group by 2, 3', name, name, newest)
           when 'tenant_id' = any(columns) then
               format('select %%L as relation, x.tenant_id::text as owner, false as draft, '
                      'count(*) as rows from public.%%I x %%s group by 2, 3', name, name, newest)
           when 'entry_id' = any(columns) then
               format('select %%L as relation, e.tenant_id::text as owner, false as draft, '
                      'count(*) as rows from public.%%I x '
                      'join public.library_entries e on e.id = x.entry_id %%s group by 2, 3',
                      name, name, newest)
           else
               format('select %%L as relation, null as owner, false as draft, '
                      'count(*) as rows from public.%%I x %%s', name, name, newest)
       end as census
from relation
order by name
"""
BECOME: Final = """
select set_config('request.jwt.claims', %(claims)s, true),
       set_config('role', %(role)s, true),
       set_config('row_security', 'on', true),
       set_config('jit', 'off', true)
"""


@probe(unit="", timeout_s=60)
def matrix(systems: Systems, *, group: str, tenant: str = "", pages: int = PAGES) -> Reading:
    """Compare what each caller reads of a group of tables with what the policies promise it.

    Groups are missions, events and views; what nobody committed is under events or views.
    ``tenant`` is the slug of tenant A. Answers ``as promised``, ``denied``, ``leak`` or ``leak
    and denied``; known leaks are named and not counted. Raises NoAnswerError without two tenants.
    The rows are counted by the reading role, and as each caller by that of the system ``viewer``,
    which may set those callers' roles; both see the same moment.
    """
    database = systems.database()
    with database.transaction(rollback=True, snapshot=True):
        callers = _callers(database, tenant)
        relations = [
            relation
            for relation in database.rows(RELATIONS, pages=pages)
            if _group(relation) == group
        ]
        census = _census(database, relations)
        viewer = systems.database("viewer")
        with viewer.transaction(rollback=True, moment=database.moment()):
            seen = {name: _count(viewer, relations, caller) for name, caller in callers.items()}
    rows = [_row(relation["name"], callers, census, seen) for relation in relations]
    return Reading(value=_word(rows), detail=sorted(rows, key=_rank))


def _callers(database: Database, tenant: str) -> dict[str, dict[str, Any]]:
    """Return the six callers, with two tenants that have missions in the claims of A and B."""
    tenants = database.rows(TENANTS, tenant=tenant)
    if len(tenants) < 2 or tenant not in ("", tenants[0]["slug"]):  # noqa: PLR2004 - A and B
        known = ", ".join(row["slug"] for row in tenants) or "none"
        message = f"Two tenants are needed, the first {tenant or 'any'!r}; found: {known}."
        raise NoAnswerError(message)
    callers: dict[str, dict[str, Any]] = {}
    for name, caller in EXPECTED["callers"].items():
        owner = {"tenant A": tenants[0]["id"], "tenant B": tenants[1]["id"]}.get(name)
        claims = {**caller["claims"], **({"tenant_id": owner} if owner else {})}
        callers[name] = {"role": caller["role"], "claims": claims, "owner": owner}
    return callers


def _census(
    database: Database, relations: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """Count each relation's rows by owner, as the reading role that sees them all.

    A view that asks for the caller's claims shows the reading role too little, so the rows behind
    it are counted.
    """
    counted: dict[str, list[dict[str, Any]]] = {relation["name"]: [] for relation in relations}
    for row in database.rows(_together(relations, "census")):
        counted[row["relation"]].append(row)
    behind = EXPECTED["counted from"]
    return {name: counted.get(behind.get(name, name), rows) for name, rows in counted.items()}


def _count(
    database: Database, relations: Sequence[Mapping[str, Any]], caller: Mapping[str, Any]
) -> dict[str, int | str]:
    """Count the rows that a caller reads; one that may not even ask is refused."""
    import psycopg

    try:
        with database.transaction(rollback=True):
            _become(database, caller)
            rows = database.rows(_together(relations, "counting"))
            return {row["relation"]: row["rows"] for row in rows}
    except psycopg.errors.InsufficientPrivilege:
        # One refusal stops the whole statement, so each relation is asked for by itself.
        return {relation["name"]: _count_one(database, relation, caller) for relation in relations}


def _count_one(
    database: Database, relation: Mapping[str, Any], caller: Mapping[str, Any]
) -> int | str:
    import psycopg

    try:
        with database.transaction(rollback=True):
            _become(database, caller)
            return int(database.row(_together([relation], "counting"))["rows"])
    except psycopg.errors.InsufficientPrivilege:
        return REFUSED


def _become(database: Database, caller: Mapping[str, Any]) -> None:
    """Take a caller's role and claims; who may not take the role has seen nothing as the caller."""
    import psycopg

    try:
        database.rows(BECOME, claims=json.dumps(caller["claims"]), role=caller["role"])
    except psycopg.errors.InsufficientPrivilege as error:
        message = (
            f"The viewing role may not become {caller['role']}, so what {caller['role']} sees is "
            f"not known. Grant it: grant {caller['role']} to the role of the system `viewer`."
        )
        raise NoAnswerError(message) from error


def _together(relations: Sequence[Mapping[str, Any]], part: str) -> str:
    # A percent sign in a name must not read as a parameter.
    return "\nunion all\n".join(relation[part].replace("%", "%%") for relation in relations)


def _group(relation: Mapping[str, Any]) -> str:
    for group, promises in EXPECTED["groups"].items():
        if relation["name"] in promises:
            return str(group)
    return "events" if relation["kind"] == "r" else "views"


def _row(
    name: str,
    callers: Mapping[str, Mapping[str, Any]],
    census: Mapping[str, Sequence[Mapping[str, Any]]],
    seen: Mapping[str, Mapping[str, int | str]],
) -> dict[str, Any]:
    """Say one line of the matrix: what each caller reads, ``✗ 9, not 5`` where it should be 5."""
    row: dict[str, Any] = {"Table or view": name}
    differs: dict[str, list[str]] = {"leak": [], "denied": []}
    for caller, facts in callers.items():
        read, promised = seen[caller][name], _promised(name, caller, facts["owner"], census[name])
        row[caller] = read
        # A refusal and an empty answer show the same rows: none.
        if promised is not None and (read if isinstance(read, int) else 0) != promised:
            row[caller] = f"✗ {read}, not {promised}"
            leaks = isinstance(read, int) and read > promised
            differs["leak" if leaks else "denied"].append(caller)
    return {**row, "verdict": _line_word(name, differs)}


def _promised(
    name: str, caller: str, owner: str | None, census: Sequence[Mapping[str, Any]]
) -> int | None:
    """Count the rows a caller should read; None where nobody promised anything."""
    kind = "tenant" if owner else caller
    # Of what nobody committed, a tenant should read its own rows, and anon none.
    word = {"tenant": "own", "anon": "none"}.get(kind)
    for promises in EXPECTED["groups"].values():
        if name in promises:
            word = EXPECTED["promises"][promises[name]][kind]
    if word is None:
        return None
    return sum(int(row["rows"]) for row in census if _holds(word, row, owner))


def _holds(word: str, row: Mapping[str, Any], owner: str | None) -> bool:
    its, draft = row["owner"], row["draft"]
    held: dict[str, bool] = {
        "none": False,
        "all": True,
        "own": its == owner,
        "owned": its is not None,
        "shared": its is None,
        "own or shared": its in (owner, None),
        "no drafts": its is not None and not draft,
    }
    return held[word]


def _line_word(name: str, differs: Mapping[str, Sequence[str]]) -> str:
    if name in EXPECTED["known leaks"] and differs["leak"] and not differs["denied"]:
        return "known leak"
    said = [f"{word}: {', '.join(callers)}" for word, callers in differs.items() if callers]
    return "; ".join(said) or "as promised"


def _word(rows: Sequence[Mapping[str, Any]]) -> str:
    said = " ".join(row["verdict"] for row in rows)
    return " and ".join(w for w in ("leak", "denied") if f"{w}:" in said) or "as promised"


def _rank(row: Mapping[str, Any]) -> tuple[int, str]:
    return {"as promised": 2, "known leak": 1}.get(row["verdict"], 0), row["Table or view"]
