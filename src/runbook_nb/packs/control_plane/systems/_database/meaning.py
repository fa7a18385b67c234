"""Expressions and functions compared by what they answer, and not by their words.

Two spellings of one rule differ by a schema's prefix, by `select 1` for `select`, by the sides of
an `or`, by what another part of it says already. PostgreSQL itself evaluates both, for every caller
and on real rows, with the columns that name an owner also empty; nothing is created.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final

from runbook_nb.probes.connections import Database

# Real rows of a table; beside them stand some whose mission and tenant are each of those known.
SAMPLE: Final = 12
_LITERAL: Final = re.compile(r"'((?:[^']|'')*)'")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ROLES: Final = ("governance", "analytics", "service")
CLAIMS: Final = "select set_config('request.jwt.claims', %(claims)s, true)"
TENANTS: Final = """
select t.id::text as id
from tenants t
left join missions m on m.tenant_id = t.id
group by t.id
order by count(m.id) desc, t.id
limit 2
"""
MISSIONS: Final = """
(select id::text as id from missions where status = 'draft' order by id limit 3)
union all
(select id::text from missions where status <> 'draft' order by tenant_id, id limit 2)
union all
(select id::text from missions where status <> 'draft' order by tenant_id desc, id limit 2)
"""
_ALIKE: Final = """
select count(*) as compared,
       count(*) filter (where coalesce(({one}), false) is distinct from coalesce(({other}), false))
           as differ
from (
    select x.*
    from (select t.* from public.{table} t order by md5(t.ctid::text) limit {sample}) x
    union all
    select (jsonb_populate_record(x, owner)).*
    from (select t as x from public.{table} t limit 1) y
    cross join jsonb_array_elements({owners}::jsonb) as owner
) as {table}
"""


class Callers:
    """Every caller that an expression may tell apart: tenants, roles, and persons it names."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tenants = [row["id"] for row in database.rows(TENANTS)]
        self.missions = [row["id"] for row in database.rows(MISSIONS)]
        self._known: dict[tuple[str, str], bool] = {}

    @property
    def owners(self) -> str:
        """Owners that a row may have, as an SQL literal: each mission, each tenant, nobody."""
        missions = [{"mission_id": each, "tenant_id": None} for each in [*self.missions, None]]
        tenants = [{"tenant_id": each} for each in self.tenants]
        return f"'{json.dumps([*missions, *tenants])}'"

    def agree(self, table: str, one: str, other: str) -> bool:
        """Tell whether two rules of a table answer alike, for every caller and every row.

        Rules that look at nothing but the row's owners answer alike in every table.
        """
        key = (plain(one), plain(other))
        everywhere = "select" not in "".join(key)
        if everywhere and key in self._known:
            return self._known[key]
        question = _ALIKE.format(
            one=one, other=other, table=table, sample=SAMPLE, owners=self.owners
        )
        self._known[key] = all(
            self.agree_on(question, claims) for claims in self.claims_for(one, other)
        )
        return self._known[key]

    def claims_for(self, *texts: str) -> Iterator[str]:
        """Yield claims, those that the texts themselves name included."""
        named = [found for text in texts for found in _LITERAL.findall(text)]
        ids = [each for each in dict.fromkeys(named) if _UUID.fullmatch(each)]
        words = [each for each in named if each.isidentifier()]
        roles = [[], *([role] for role in dict.fromkeys((*_ROLES, *words)))]
        for tenant, role, person in product([None, *self.tenants, *ids], roles, [None, *ids]):
            said: dict[str, Any] = {"roles": role}
            said |= {"tenant_id": tenant} if tenant else {}
            yield json.dumps(said | ({"sub": person} if person else {}))

    def agree_on(self, question: str, claims: str) -> bool:
        """Ask a question that counts what ``differ``, as one caller; an error is a difference."""
        import psycopg

        try:
            with self._database.transaction(rollback=True):
                self._database.rows(CLAIMS, claims=claims)
                return not self._database.row(question.replace("%", "%%"))["differ"]
        except psycopg.Error:
            return False


def same_rule(callers: Callers, table: str, one: str | None, other: str | None) -> bool:
    """Tell whether two expressions of a table's policies let the same callers see the same rows."""
    if one is None or other is None:
        return one is other
    if plain(one) == plain(other):
        return True
    return callers.agree(table, one, other)


def same_function(callers: Callers, *, name: str, live: str, committed: str) -> bool:
    """Tell whether a live function answers as the committed body does, for every caller.

    A body that is no single SQL expression is compared by its words alone. One that runs with other
    rights, or is kept for longer, is another function.
    """
    if plain(live) == plain(committed):
        return True
    if _rights(live) != _rights(committed):
        return False
    signature = re.search(r"function \S+?\((.*?)\)\s*returns", committed, re.IGNORECASE)
    body = re.search(r"AS (\$\w*\$)(.*?);?\s*\1", committed, re.DOTALL)
    if not signature or not body or "language sql" not in committed.lower():
        return False
    arguments = [part.split()[:2] for part in signature[1].split(",") if part.strip()]
    names = [argument[0] for argument in arguments]
    answer = body[2].strip()
    called = f"public.{name.partition('(')[0]}({', '.join(f'asked.{each}' for each in names)})"
    # To a policy an empty truth is no yes, as a plain no is none.
    told = "coalesce(({}), false)" if "returns boolean" in committed.lower() else "({})"
    question = (
        f"select count(*) filter (where {told.format(called)} is distinct from "
        f"{told.format(answer)}) as differ "
        f"from ({_asked(callers, arguments)}) as asked"
    )
    return all(callers.agree_on(question, claims) for claims in callers.claims_for(live, committed))


def plain(text: str) -> str:
    """Return a text in even words: one case, no comment, no needless space, prefix or select 1."""
    text = re.sub(r"--[^\n]*", " ", text)
    parts = re.split(r"('(?:[^']|'')*')", text)
    # What stands in quotes is data, and keeps its case.
    even = "".join(part if place % 2 else part.lower() for place, part in enumerate(parts))
    even = re.sub(r"\$\w*\$", "$$", even).replace("public.", "").replace("'::text", "'")
    even = re.sub(r"\bselect 1\s+from\b", "select from", " ".join(even.split()))
    return re.sub(r"\s*([(),;=])\s*", r"\1", even).replace(";$$", "$$")


def _rights(definition: str) -> tuple[bool, str]:
    """Return whether a function runs with its owner's rights, and for how long it is kept."""
    head = definition.partition(" AS $")[0].lower()
    kept = next((word for word in ("immutable", "stable") if word in head), "volatile")
    return "security definer" in head, kept


def _asked(callers: Callers, arguments: Sequence[Sequence[str]]) -> str:
    """Return a query of the arguments that a function is called with."""
    if not arguments:
        return "select 1 as nothing"
    ids = [f"'{mission}'" for mission in callers.missions]
    values = {
        "uuid": [*ids, "null"],
        "text": [*(f"'{role}'" for role in (*_ROLES, "nobody")), "null"],
    }
    rows = [
        "select "
        + ", ".join(
            f"{value}::{kind} as {name}"
            for (name, kind), value in zip(arguments, each, strict=True)
        )
        for each in product(*(values.get(kind, ["null"]) for _name, kind in arguments))
    ]
    return " union all ".join(rows)
