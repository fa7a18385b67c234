"""Alert rules for row level security: what people who sign in see, too little or too much.

Each rule signs in as one person of each tenant, with the claims that a new token would carry, and
asks for rows as the API does. Nothing here knows the policies.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

SERVICE: Final = "database"
# What a workspace shows first, and of which a tenant at work has rows.
SHOWN: Final = ("missions", "telemetry_events", "mission_evidence", "mission_feedback")
# The platform was made with these open to everybody; they are no news.
KNOWN_OPEN: Final = ("mission_readiness", "mission_stage_progress")

_PEOPLE: Final = """
with person as materialized (
    select distinct on (t.id) t.id as tenant, u.id as user_id
    from tenants t
    join auth.users u on u.email like '%%@' || t.slug || '.example'
    where exists (select from missions where tenant_id = t.id)
    order by t.id, u.email
)
select p.tenant,
       auth_hooks.add_claims(jsonb_build_object('user_id', p.user_id)) -> 'claims' as claims,
       array(select id from missions where tenant_id = p.tenant order by created_at limit 20)
           as own,
       array(select id from missions where tenant_id <> p.tenant order by created_at limit 5)
           as others
from person p
order by p.tenant
"""
_BECOME: Final = """
select set_config('request.jwt.claims', %s, true),
       set_config('role', 'authenticated', true),
       set_config('jit', 'off', true)
"""
_TABLES_THERE: Final = """
select relname::text
from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and relname = any(%s)
"""
# Materialized views have no policies, so they are not asked.
_WITH_MISSIONS: Final = """
select c.relname::text, a.attname::text
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname in ('mission_id', 'tenant_id')
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'v')
  and c.relname <> all(%s)
  and has_table_privilege('authenticated', c.oid, 'SELECT')
order by c.relname, a.attname
"""


def _people_side(lab: LabState) -> Any:
    """Connect as the role that may look as a caller; who asks all the rest may not."""
    import psycopg

    return psycopg.connect(read_secret(lab.folder, "viewer.dsn"), autocommit=True)


@contextmanager
def _signed_in(side: Any, claims: dict[str, Any]) -> Iterator[None]:
    """Ask as a person who signed in, for the length of one transaction."""
    with side.transaction(force_rollback=True):
        side.execute(_BECOME, [json.dumps(claims)])
        yield


def _own_rows(lab: LabState, connection: Any) -> Iterator[str]:
    """Ask for own rows, and say for each answer whether it was some, none or refused."""
    import psycopg

    tables = [name for (name,) in connection.execute(_TABLES_THERE, [list(SHOWN)])]
    with _people_side(lab) as side:
        for _tenant, claims, own, _others in connection.execute(_PEOPLE).fetchall():
            for table in tables:
                column = "id" if table == "missions" else "mission_id"
                there = f"select exists (select from {table} where {column} = any(%s))"
                if not connection.execute(there, [own]).fetchone()[0]:
                    continue
                try:
                    with _signed_in(side, claims):
                        found = side.execute(there, [own]).fetchone()[0]
                    yield "some" if found else "none"
                except psycopg.errors.InsufficientPrivilege:
                    yield "refused"


def _rows_missing(lab: LabState, connection: Any) -> bool:
    return "none" in _own_rows(lab, connection)


def _refused(lab: LabState, connection: Any) -> bool:
    return "refused" in _own_rows(lab, connection)


def _others_visible(lab: LabState, connection: Any) -> bool:
    """Ask for rows of missions and tenants that are not the person's own."""
    import psycopg
    from psycopg import sql as text

    relations = connection.execute(_WITH_MISSIONS, [list(KNOWN_OPEN)]).fetchall()
    asked = text.SQL(" union all ").join(
        text.SQL("select exists (select from public.{} where {} = any({}))").format(
            text.Identifier(relation), text.Identifier(column), text.Placeholder(column)
        )
        for relation, column in relations
        if column == "mission_id" or (relation, "mission_id") not in relations
    )
    tenants = [row[0] for row in connection.execute("select id from tenants").fetchall()]
    with _people_side(lab) as side:
        for tenant, claims, _own, others in connection.execute(_PEOPLE).fetchall():
            named = {"mission_id": others, "tenant_id": [one for one in tenants if one != tenant]}
            try:
                with _signed_in(side, claims):
                    if any(found for (found,) in side.execute(asked, named)):
                        return True
            except psycopg.errors.InsufficientPrivilege:
                return False
    return False


RULES: Final = (
    AlertRule(
        name="RowSecurityHidesRows",
        severity="critical",
        summary="A person who signs in sees none of the rows of its tenant.",
        fires=_rows_missing,
        service=SERVICE,
    ),
    AlertRule(
        name="RowSecurityRefuses",
        severity="critical",
        summary="A person who signs in is refused with SQLSTATE 42501.",
        fires=_refused,
        service=SERVICE,
    ),
    AlertRule(
        name="RowSecurityLeaks",
        severity="critical",
        summary="A person who signs in sees rows of another tenant.",
        fires=_others_visible,
        service=SERVICE,
    ),
    AlertRule(
        name="RowSecurityOff",
        severity="critical",
        summary="A table that customers write to has row level security off.",
        fires=sql("""
            select exists (
                select from pg_class
                where relnamespace = 'public'::regnamespace and relkind = 'r'
                  and not relrowsecurity and relname <> 'personas')
            """),
        service=SERVICE,
    ),
)
