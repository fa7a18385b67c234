"""The policies that are committed, and where the live ones differ."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.probes.connections import Database

Policy = dict[str, Any]
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
    """Pair what is found with what is committed, wherever they are not the same."""
    found = {key_of(policy): policy for policy in database.rows(LIVE)}
    committed = {key_of(policy): policy for policy in EXPECTED["policies"]}
    cures = {key_of(policy): policy for policy in EXPECTED["cures"]}
    pairs = []
    for key in sorted(found.keys() | committed.keys()):
        was, should = found.get(key), committed.get(key)
        cured = was is not None and _same(was, cures.get(key))
        if not cured and not _same(was, should):
            pairs.append((was, should))
    return pairs


def unknown_policies(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of tables that are not committed as known."""
    return [row for row in rows if row["table"] not in EXPECTED["known without"]]


def key_of(policy: Policy) -> tuple[str, str]:
    """Return the table and the name of a policy."""
    return policy["table"], policy["name"]


def _same(one: Policy | None, other: Policy | None) -> bool:
    return _plain(one) == _plain(other)


def _plain(policy: Policy | None) -> Mapping[str, Any] | None:
    """Return a policy without line breaks, which PostgreSQL puts where it likes."""
    return policy and {
        name: " ".join(said.split()) if isinstance(said, str) else said
        for name, said in policy.items()
    }
