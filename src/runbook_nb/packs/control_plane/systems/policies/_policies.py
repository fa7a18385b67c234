"""The policies that are committed, and where the live ones differ."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.meaning import Callers, same_rule
from runbook_nb.probes.baseline import Difference, Items, Part
from runbook_nb.probes.connections import Database

Policy = dict[str, Any]
RULES: Final = ("using", "check")
_COMMITTED: Final = json.loads(
    Path(__file__).with_name("policies.json").read_text(encoding="utf-8")
)
CURES: Final[list[Policy]] = _COMMITTED["cures"]
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


def live_policies(database: Database) -> dict[str, Policy]:
    """Return the policies of the public tables, by their names."""
    return _by_name(database.rows(LIVE))


def live_switches(database: Database) -> dict[str, str]:
    """Return for each public table whether row level security is ``on`` or ``off``."""
    rows = database.rows(SWITCHES)
    return {row["table"]: "on" if row["row level security"] else "off" for row in rows}


def differing(database: Database, committed: Items) -> list[Difference]:
    """Return the policies that do not mean what is committed.

    A policy of a table that this platform does not have is no difference: nothing is known of it.
    """
    found, cures = live_policies(database), _by_name(CURES)
    absent, callers = set(absent_tables(database, committed)), Callers(database)
    differences = []
    for name in sorted(found.keys() | committed.keys()):
        was, should = found.get(name), committed.get(name)
        table = name.rpartition(" on ")[2]
        cured = was is not None and _same(callers, was, cures.get(name))
        if table not in absent and not cured and not _same(callers, was, should):
            differences.append(Difference(item=name, committed=should, found=was))
    return differences


def switched_off(database: Database, committed: Items) -> list[Difference]:
    """Return the tables without row level security that are not known to be."""
    return [
        Difference(item=table, committed="on", found="off")
        for table, switch in live_switches(database).items()
        if switch == "off" and committed.get(table, "on") == "on"
    ]


def absent_tables(database: Database, committed: Items) -> list[str]:
    """Return the tables that committed policies are of and this platform does not have."""
    there = {row["table"] for row in database.rows(SWITCHES)}
    return sorted({policy["table"] for policy in committed.values()} - there)


def _by_name(policies: Sequence[Policy]) -> dict[str, Policy]:
    """Return policies by what a responder calls them: ``missions_read on missions``."""
    return {f"{policy['name']} on {policy['table']}": policy for policy in policies}


def _same(callers: Callers, one: Policy | None, other: Policy | None) -> bool:
    """Tell whether two policies let the same callers do the same, whatever their words."""
    if one is None or other is None:
        return one is other
    if any(one[name] != other[name] for name in ("permissive", "roles", "command")):
        return False
    return all(same_rule(callers, one["table"], one[name], other[name]) for name in RULES)


POLICIES: Final = Part(
    name="policies",
    about="Row security policies of the public tables, compared by what they let each caller do.",
    take=lambda systems: live_policies(systems.database()),
    differing=lambda systems, committed: differing(systems.database(), committed),
    brought=_by_name(_COMMITTED["policies"]),
)
ROW_SECURITY: Final = Part(
    name="row_security",
    about="Whether row level security is on, for each public table; on where nothing is said.",
    take=lambda systems: live_switches(systems.database()),
    differing=lambda systems, committed: switched_off(systems.database(), committed),
    brought=dict.fromkeys(_COMMITTED["known without"], "off"),
)
