"""Eight faults around row level security: each made as a migration or a sign-up would make it.

Heal puts the schema's own policies, switches, grants and helper functions back wherever a fault
touches them, whatever was done meanwhile.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, superuser
from runbook_nb.packs.control_plane.lab.state import LabState

_SCHEMA: Final = Path(__file__).parents[1] / "schema"
_POLICY: Final = re.compile(r"^create policy (\w+) on (\w+)\n.*?;$", re.MULTILINE | re.DOTALL)
_HELPER: Final = re.compile(
    r"^create function ((?:current|has|mission_accessible)\w*\(.*?\)\nreturns .*?\$\$;)$",
    re.MULTILINE | re.DOTALL,
)
_OVERVIEW: Final = "customer_overview"

_DROP_POLICY: Final = "drop policy telemetry_read on telemetry_events"
_WIDEN_POLICY: Final = "alter policy mission_related_read on mission_safeguards using (true)"
_SWITCH_OFF: Final = "alter table mission_feedback disable row level security"
_REVOKE: Final = "revoke select on mission_evidence from authenticated"
_MAKE_VIEW: Final = f"""
create view {_OVERVIEW} as
select mission.tenant_id, mission.id as mission_id, mission.title, count(approval.id) as approvals
from missions as mission
left join mission_approvals as approval on approval.mission_id = mission.id
group by mission.id
"""
# A release "makes it simpler": whoever has a tenant has every role.
_LOOSEN_HELPER: Final = """
create or replace function has_role(target_role text)
returns boolean
language sql stable
as $$
    select target_role = any(current_roles()) or current_tenant_id() is not null;
$$
"""
# The new sign-up writes the tenant where the pages read it, and where no policy does.
_NEST_CLAIMS: Final = """
update auth.users
set raw_user_meta_data = raw_user_meta_data
        || jsonb_build_object('tenantId', raw_app_meta_data -> 'tenant_id'),
    raw_app_meta_data = raw_app_meta_data - 'tenant_id'
where email like '%@northwind.example'
"""
_LIFT_CLAIMS: Final = """
update auth.users
set raw_app_meta_data = raw_app_meta_data
        || jsonb_build_object('tenant_id', raw_user_meta_data -> 'tenantId'),
    raw_user_meta_data = raw_user_meta_data - 'tenantId'
where raw_user_meta_data ? 'tenantId'
"""
_ASKING: Final = ("mission_readiness", "mission_stage_progress")
_MATERIALIZED: Final = (
    "executive_summary_mv",
    "governance_insights_mv",
    "operations_health_mv",
    "adoption_funnel_mv",
    "agent_performance_mv",
)
# As the platform was made: two views with their owner's rights, five open ones, a bare table.
_OPEN_LEAKS: Final = (
    *(f"alter view {view} reset (security_invoker)" for view in _ASKING),
    *(f"grant all on {view} to anon, authenticated" for view in _MATERIALIZED),
    "alter table personas disable row level security",
    "drop policy if exists personas_read on personas",
)
_TOUCHED: Final = ("telemetry_events", "mission_safeguards", "mission_feedback", "mission_evidence")
_GRANTED: Final = "select, insert, update, delete, truncate, references, trigger"
_CALLERS: Final = "anon, authenticated, service_role"


def statements_run(*statements: str) -> Callable[[LabState], None]:
    """Return what runs these statements as the owner of the tables, in one transaction."""

    def inject(lab: LabState) -> None:
        with superuser(lab) as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement.encode())

    return inject


def restore_row_security(lab: LabState) -> None:
    """Put back the policies, switches, grants and helpers that faults touch."""
    # One table at a time: the agent holds locks on several, so a longer transaction could deadlock.
    with superuser(lab) as connection:
        for statements in (f"drop view if exists {_OVERVIEW}", _LIFT_CLAIMS, *_schemas_own()):
            connection.execute(statements.encode())
        for table in _TOUCHED:
            _drop_new_policies(connection, table)
            connection.execute(f"grant {_GRANTED} on {table} to {_CALLERS}".encode())


def _schemas_own() -> Iterator[str]:
    """Read from the schema what makes the policies, switches and helpers that faults touch."""
    for policy in _POLICY.finditer(_schema()):
        name, table = policy.groups()
        if table in _TOUCHED:
            yield f"drop policy if exists {name} on {table}; {policy[0]}"
            yield f"alter table {table} enable row level security"
    for helper in _HELPER.finditer(_schema()):
        yield f"create or replace function {helper[1]}"


def _drop_new_policies(connection: Connection, table: str) -> None:
    """Drop policies that the schema does not have."""
    own = {policy[1] for policy in _POLICY.finditer(_schema()) if policy[2] == table}
    listed = "select policyname from pg_policies where schemaname = 'public' and tablename = %s"
    for (name,) in connection.execute(listed, [table]).fetchall():
        if name not in own:
            connection.execute(f'drop policy "{name}" on {table}'.encode())


def _schema() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in sorted(_SCHEMA.glob("*.sql")))


FAULTS: Final = (
    Fault(
        name="policy_dropped",
        title="A migration dropped the policy by which tenants read telemetry",
        inject=statements_run(_DROP_POLICY),
        heal=restore_row_security,
    ),
    Fault(
        name="policy_widened",
        title="A migration opened the safeguards of every mission to everybody",
        inject=statements_run(_WIDEN_POLICY),
        heal=restore_row_security,
    ),
    Fault(
        name="row_security_off",
        title="A migration switched row level security off for feedback and left it off",
        inject=statements_run(_SWITCH_OFF),
        heal=restore_row_security,
    ),
    Fault(
        name="grant_removed",
        title="A clean-up of grants took SELECT on evidence away from signed-in people",
        inject=statements_run(_REVOKE),
        heal=restore_row_security,
    ),
    Fault(
        name="view_leaks",
        title="A new report is a view that runs with its owner's rights",
        inject=statements_run(_MAKE_VIEW),
        heal=restore_row_security,
    ),
    Fault(
        name="helper_loosened",
        title="A release rewrote the helper that tells roles: whoever has a tenant has them all",
        inject=statements_run(_LOOSEN_HELPER),
        heal=restore_row_security,
    ),
    Fault(
        name="leaks_open",
        title="The leaks that the platform was made with are not accepted any more",
        inject=statements_run(*_OPEN_LEAKS),
        heal=statements_run(*_OPEN_LEAKS),
    ),
    Fault(
        name="claims_nested",
        title="A new sign-up writes the tenant into user_metadata, which no policy reads",
        inject=statements_run(_NEST_CLAIMS),
        heal=restore_row_security,
    ),
)
