"""The faults of row level security in other shapes: writes alone, a second policy, one person."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.journal import statement_fault
from runbook_nb.packs.control_plane.lab.faults.row_security import (
    restore_row_security,
    statements_run,
)

_REPORT: Final = """
create materialized view customer_overview as
select mission.tenant_id, mission.id as mission_id, mission.title from missions as mission
"""
_CHILDREN: Final = """
create view customer_overview as
select evidence.mission_id, evidence.display_message from mission_evidence as evidence
"""
_FOREIGN: Final = """
create function reports.all_missions() returns setof missions
language sql security definer set search_path = public as $$ select * from missions $$
"""
_FROM_PAGES: Final = """
create or replace function current_tenant_id()
returns uuid
language sql stable
as $$
    select coalesce(nullif(current_claims() ->> 'tenant_id', ''),
                    current_claims() -> 'user_metadata' ->> 'tenantId')::uuid;
$$
"""
_ONE_SEES_ALL: Final = """
do $$ begin
    execute format(
        'create policy feedback_for_demo on mission_feedback for select '
        'using (current_tenant_id() = %L)',
        (select id from tenants where slug = 'harbourlight'));
end $$
"""
_ONE: Final = "email = 'amara@northwind.example'"


def _changed(name: str, title: str, *statements: str) -> Fault:
    return Fault(
        name=name, title=title, inject=statements_run(*statements), heal=restore_row_security
    )


FAULTS: Final = (
    _changed(
        "policy_dropped.writes_alone",
        "A migration dropped the policy by which evidence is written; reading goes on",
        "drop policy mission_evidence_write on mission_evidence",
    ),
    _changed(
        "policy_dropped.restrictive_added",
        "A new restrictive policy hides feedback of three stars and fewer",
        "create policy good_news on mission_feedback as restrictive for select to authenticated "
        "using (rating > 3)",
    ),
    _changed(
        "policy_dropped.two_tables",
        "A migration dropped the policies of telemetry and of evidence",
        "drop policy telemetry_read on telemetry_events",
        "drop policy mission_evidence_read on mission_evidence",
        "drop policy mission_evidence_write on mission_evidence",
    ),
    _changed(
        "policy_widened.writes_alone",
        "Anybody may write safeguards under any mission; who reads them is as before",
        "alter policy mission_related_write on mission_safeguards with check (true)",
    ),
    _changed(
        "policy_widened.second_policy",
        "A second policy opens evidence to everybody; the first reads as committed",
        "create policy evidence_for_demo on mission_evidence for select using (true)",
    ),
    _changed(
        "policy_widened.one_tenant",
        "A policy for a demonstration shows one tenant the feedback of all",
        _ONE_SEES_ALL,
    ),
    _changed(
        "row_security_off.telemetry",
        "A migration switched row level security off for telemetry",
        "alter table telemetry_events disable row level security",
    ),
    _changed(
        "row_security_off.two_tables",
        "A migration switched row level security off for feedback and for evidence",
        "alter table mission_feedback disable row level security",
        "alter table mission_evidence disable row level security",
    ),
    statement_fault(
        "row_security_off.new_table",
        "A release made a table of exports and gave it no row level security",
        inject=[
            (
                "create table mission_exports (id uuid primary key default gen_random_uuid(), "
                "mission_id uuid, content text)"
            ),
            "insert into mission_exports (mission_id, content) select id, title from missions",
        ],
        heal=["drop table if exists mission_exports"],
    ),
    _changed(
        "grant_removed.insert_alone",
        "A clean-up took INSERT on evidence away from signed-in people",
        "revoke insert on mission_evidence from authenticated",
    ),
    _changed(
        "grant_removed.two_tables",
        "A clean-up took SELECT on evidence and on feedback away from signed-in people",
        "revoke select on mission_evidence, mission_feedback from authenticated",
    ),
    statement_fault(
        "view_leaks.materialized",
        "A new report is a materialized view that everybody may read",
        inject=[_REPORT],
        heal=["drop materialized view if exists customer_overview"],
    ),
    statement_fault(
        "view_leaks.of_children",
        "A new report shows the evidence of every mission, and no mission itself",
        inject=[_CHILDREN],
        heal=["drop view if exists customer_overview"],
    ),
    statement_fault(
        "view_leaks.function_elsewhere",
        "A function in another schema runs as its owner and returns every mission",
        inject=[
            "create schema if not exists reports",
            _FOREIGN,
            "grant usage on schema reports to authenticated",
        ],
        heal=["drop schema if exists reports cascade"],
    ),
    _changed(
        "helper_loosened.reads_the_pages",
        "A release has the helper take the tenant from what people may edit themselves",
        _FROM_PAGES,
    ),
    statement_fault(
        "claims_nested.one_person",
        "One person's tenant stands where no policy reads it",
        inject=[
            (
                "update auth.users set raw_user_meta_data = raw_user_meta_data || "
                "jsonb_build_object('tenantId', raw_app_meta_data -> 'tenant_id'), "
                f"raw_app_meta_data = raw_app_meta_data - 'tenant_id' where {_ONE}"
            )
        ],
        heal=[
            (
                "update auth.users set raw_app_meta_data = raw_app_meta_data || "
                "jsonb_build_object('tenant_id', raw_user_meta_data -> 'tenantId'), "
                "raw_user_meta_data = raw_user_meta_data - 'tenantId' "
                "where raw_user_meta_data ? 'tenantId'"
            )
        ],
    ),
    statement_fault(
        "claims_nested.roles_as_word",
        "Three people's roles are one word instead of a list",
        inject=[
            (
                "update auth.users set raw_app_meta_data = raw_app_meta_data || "
                "jsonb_build_object('roles', 'was:' || (raw_app_meta_data ->> 'roles')) "
                "where email in (select email from auth.users "
                "where email like '%@harbourlight.example' order by email limit 3)"
            )
        ],
        heal=[
            (
                "update auth.users set raw_app_meta_data = raw_app_meta_data || "
                "jsonb_build_object('roles', substr(raw_app_meta_data ->> 'roles', 5)::jsonb) "
                "where raw_app_meta_data ->> 'roles' like 'was:%'"
            )
        ],
    ),
)
