"""What differs from the committed schema by its words alone, or was made with care."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import statement_fault
from runbook_nb.packs.control_plane.lab.faults.row_security import (
    restore_row_security,
    statements_run,
)

_ROLES: Final = """
create or replace function has_role(target_role text)
returns boolean
language sql stable
as $$
    SELECT $1 = ANY (public.current_roles())
$$
"""
_ACCESSIBLE: Final = """
create or replace function mission_accessible(mid uuid)
returns boolean
language sql stable
as $$
    select exists (
        select 1
        from public.missions as mission
        where mission.id = mid
          and (
              has_role('service')
              or has_role('governance')
              or mission.tenant_id = current_tenant_id()
              or (mission.status <> 'draft' and has_role('analytics'))
          )
    );
$$
"""


def _reworded(name: str, title: str, *statements: str) -> Fault:
    return Fault(
        name=name, title=title, inject=statements_run(*statements), heal=restore_row_security
    )


FAULTS: Final = (
    _reworded(
        "policy_sides_swapped",
        "The policy of feedback names the same callers in another order",
        "alter policy mission_feedback_read on mission_feedback "
        "using (has_role('service') or mission_accessible(mission_id) or has_role('analytics'))",
    ),
    _reworded(
        "policy_says_it_twice",
        "The policy of safeguards names the service twice",
        "alter policy mission_related_read on mission_safeguards using "
        "((mission_accessible(mission_id) or has_role('service')) or has_role('service'))",
    ),
    _reworded(
        "helpers_reworded",
        "Two helpers are written with other words and mean the same",
        _ROLES,
        _ACCESSIBLE,
    ),
    statement_fault(
        "view_as_caller",
        "A new report is a view that asks with its caller's rights",
        inject=[
            (
                "create view customer_overview with (security_invoker = true) as "
                "select mission.tenant_id, mission.id as mission_id, mission.title "
                "from missions as mission"
            )
        ],
        heal=["drop view if exists customer_overview"],
    ),
    statement_fault(
        "index_added",
        "Somebody added an index to the evidence",
        inject=["create index evidence_by_day on mission_evidence (created_at)"],
        heal=["drop index if exists evidence_by_day"],
    ),
)
