"""What looks like a breach and is none, and leaks in other shapes than a plain view or policy."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.breach import (
    close_buckets,
    make_bucket,
    shown,
    take,
)
from runbook_nb.packs.control_plane.lab.faults.breach_rows import change, forget, tell
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.row_security import restore_row_security
from runbook_nb.packs.control_plane.lab.state import LabState

_HARMLESS: Final = """
{"remote": "git@github.com:northwind/freight.git", "clone": "deploy@build.internal:apps/site",
 "image": "logo@2x.png", "package": "@scope/tool@4.1.2", "to": "[redacted-email]",
 "authorization": "Bearer [redacted-token]", "password": "***redacted***",
 "mention": "@db-lead", "order": "2026-11-0342-118", "token_usage": 48213}
"""
_NOBODYS: Final = """
UPDATE telemetry_events SET tenant_id = NULL
 WHERE id IN (SELECT id FROM telemetry_events WHERE mission_id IS NOT NULL
              ORDER BY created_at DESC OFFSET 200 LIMIT 40)
"""
_MATERIALIZED: Final = """
CREATE MATERIALIZED VIEW breach_overview_mv AS
SELECT tenant_id, id AS mission_id, title FROM missions
"""
_ONE_TENANT: Final = """
CREATE VIEW breach_overview AS
SELECT tenant_id, id AS mission_id, title FROM missions
 WHERE tenant_id = (SELECT id FROM tenants WHERE slug = 'northwind')
"""
_AS_CALLER: Final = """
CREATE VIEW breach_overview WITH (security_invoker = true) AS
SELECT tenant_id, id AS mission_id, title FROM missions
"""
_FOR_ANON: Final = (
    "CREATE POLICY breach_policy ON mission_artifacts FOR SELECT TO anon USING (true)"
)
_BARE_TABLE: Final = (
    "CREATE TABLE breach_notes (mission_id uuid, note text)",
    "INSERT INTO breach_notes SELECT id, 'a note' FROM missions",
)
_CUT: Final = "REVOKE anon, authenticated FROM runbook_viewer"
_HEAL: Final = (
    "DROP MATERIALIZED VIEW IF EXISTS breach_overview_mv",
    "DROP VIEW IF EXISTS breach_overview",
    "DROP TABLE IF EXISTS breach_notes",
    "DROP POLICY IF EXISTS breach_policy ON mission_artifacts",
    "GRANT anon, authenticated TO runbook_viewer WITH INHERIT FALSE, SET TRUE",
)


def _doing(*statements: str) -> Callable[[LabState], None]:
    def inject(lab: LabState) -> None:
        with superuser(lab) as connection, connection.transaction():
            for statement in statements:
                connection.execute(statement.encode())

    return inject


def _heal(lab: LabState) -> None:
    _doing(*_HEAL)(lab)
    restore_row_security(lab)
    forget(lab)


def _reload(lab: LabState) -> None:
    """Have somebody open the same three artifacts again and again."""
    take(lab, artifacts=3, times=20)


FAULTS: Final = (
    Fault(
        name="view_leaks.stored",
        title="A new materialized view shows every tenant's missions",
        inject=_doing(_MATERIALIZED),
        heal=_heal,
    ),
    Fault(
        name="view_leaks.one_tenant",
        title="A new view shows the missions of one tenant to all",
        inject=_doing(_ONE_TENANT),
        heal=_heal,
    ),
    Fault(
        name="view_leaks.viewer_cut",
        title="A new view leaks, and the role that looks as a caller lost its grants",
        inject=_doing(_ONE_TENANT, _CUT),
        heal=_heal,
    ),
    Fault(
        name="policy_widened.anon",
        title="A new policy opens artifacts to whoever has no token",
        inject=_doing(_FOR_ANON),
        heal=_heal,
    ),
    Fault(
        name="policy_widened.bare_table",
        title="A new table with notes on missions has no row level security",
        inject=_doing(*_BARE_TABLE),
        heal=_heal,
    ),
    Fault(
        name="policy_widened.helper",
        title="A release made the helper that tells access say yes to whoever is signed in",
        inject=_doing(
            """
            CREATE OR REPLACE FUNCTION mission_accessible(mid uuid) RETURNS boolean
            LANGUAGE sql STABLE AS $$ SELECT mid IS NOT NULL AND current_tenant_id() IS NOT NULL $$
            """
        ),
        heal=_heal,
    ),
    Fault(
        name="harmless_addresses",
        title="Events name repositories, images, packages and what was masked already",
        inject=lambda lab: tell(lab, _HARMLESS, rows=20),
        heal=forget,
    ),
    Fault(
        name="brand_bucket",
        title="A public bucket holds logos and fonts",
        inject=lambda lab: make_bucket(lab, "brand-assets", of_customers=False),
        heal=close_buckets,
    ),
    Fault(
        name="review_under_way",
        title="Those who approve missions open the evidence that waits for their review",
        inject=lambda lab: shown(lab, by="approver"),
        heal=forget,
    ),
    Fault(
        name="same_page_reloaded",
        title="Somebody opens the same three artifacts sixty times",
        inject=_reload,
        heal=forget,
    ),
    Fault(
        name="busy_hour",
        title="Somebody opens nine artifacts within the hour",
        inject=lambda lab: take(lab, artifacts=9, every=timedelta(minutes=5)),
        heal=forget,
    ),
    Fault(
        name="events_of_nobody",
        title="Events of missions are stored without a tenant",
        inject=lambda lab: change(lab, _NOBODYS),
        heal=forget,
    ),
    Fault(
        name="view_asks_as_caller",
        title="A new view asks as its caller, so that policies hold",
        inject=_doing(_AS_CALLER),
        heal=_heal,
    ),
)
