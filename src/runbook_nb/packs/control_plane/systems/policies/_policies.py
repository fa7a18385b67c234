"""The policies that are committed, and where the live ones differ."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.meaning import Callers, same_rule
from runbook_nb.probes.connections import Database

Policy = dict[str, Any]
RULES: Final = ("using", "check")
EXPECTED: Final = json.loads(Path(__file__).with_name("policies.json").read_text(encoding="utf-8"))
LIVE: Final = """
select tablename::text as "table",
       policyname::text as name,
       permissive,
       roles::text[] as roles,
       cmd as command,
       qual as "using",
       with_check as "check"
from pg_policies
where schemaname = 'public'
order by tablename, policyname
"""
SWITCHES: Final = """
select c.relname::text as "table",
       c.relrowsecurity as "row level security",
       count(p.oid) as policies
from pg_class c
left join pg_policy p on p.polrelid = c.oid
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
group by c.oid
order by c.relname
"""


def differing(database: Database) -> list[tuple[Policy | None, Policy | None]]:
    """Pair what is found with what is committed, wherever they do not mean the same.

    A policy of a table that this platform does not have is no difference: nothing is known of it.
    """
    found = {key_of(policy): policy for policy in database.rows(LIVE)}
    committed = {key_of(policy): policy for policy in EXPECTED["policies"]}
    cures = {key_of(policy): policy for policy in EXPECTED["cures"]}
    absent, callers = set(absent_tables(database)), Callers(database)
    pairs = []
    for key in sorted(found.keys() | committed.keys()):
        was, should = found.get(key), committed.get(key)
        cured = was is not None and _same(callers, was, cures.get(key))
        if key[0] not in absent and not cured and not _same(callers, was, should):
            pairs.append((was, should))
    return pairs


def absent_tables(database: Database) -> list[str]:
    """Return the tables that committed policies name and this platform does not have."""
    there = {row["table"] for row in database.rows(SWITCHES)}
    return sorted({policy["table"] for policy in EXPECTED["policies"]} - there)


def unknown_policies(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of tables that are not committed as known."""
    return [row for row in rows if row["table"] not in EXPECTED["known without"]]


def key_of(policy: Policy) -> tuple[str, str]:
    """Return the table and the name of a policy."""
    return policy["table"], policy["name"]


def _same(callers: Callers, one: Policy | None, other: Policy | None) -> bool:
    """Tell whether two policies let the same callers do the same, whatever their words."""
    if one is None or other is None:
        return one is other
    if any(one[name] != other[name] for name in ("permissive", "roles", "command")):
        return False
    return all(same_rule(callers, one["table"], one[name], other[name]) for name in RULES)
