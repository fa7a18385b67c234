"""Variations and look-alikes are really there after inject, and leave nothing after heal."""

import pytest

from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.faults.journal import change, take_back
from runbook_nb.packs.control_plane.lab.faults.outside import superuser

pytestmark = [pytest.mark.lab, pytest.mark.slow]

HELD = """
SELECT md5(string_agg(one::text, '|' ORDER BY one.id)) AS held FROM {} AS one WHERE {}
"""
# Beats and streams go on, whatever a fault does.
QUIET = {
    "telemetry_events": "event_type NOT IN ('session_heartbeat', 'error_recovery_triggered')",
    "mission_sessions": "NOT state ? 'runner'",
    "workspace_stream_sessions": "session_id !~ '^tab-[0-9a-f]{8}$'",
}
TABLES = (
    *("missions", "mission_stage_status", "mission_sessions", "mission_evidence"),
    *("mission_connections", "mission_feedback", "mission_artifacts", "mission_approvals"),
    *("telemetry_events", "composio_audit_events", "workspace_stream_sessions"),
    *("library_entries", "tenants"),
)
DEFINED = """
SELECT (SELECT md5(string_agg(p::text, '|' ORDER BY tablename, policyname))
          FROM (SELECT tablename, policyname, permissive, roles, cmd, qual, with_check
                  FROM pg_policies) AS p) AS policies,
       (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace) AS relations,
       (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
       (SELECT md5(string_agg(prosrc, '|' ORDER BY proname)) FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace AND proname ~ '^(has|current|mission)_')
       AS helpers,
       (SELECT count(*) FROM cron.job WHERE active) AS jobs,
       (SELECT count(*) FROM cron.job_run_details WHERE status = 'failed') AS failed_runs
"""
# One of each way in which they are made; the rest differ from these by words.
SHAPES = (
    "limits_storm.one_tenant",
    "release_impairs.missions_blocked",
    "mission_without_evidence",
    "stages_lost.evidence",
    "sessions_silent.one",
    "sessions_await_approval",
    "library_deleted.refilled",
    "deletion_planned",
    "jobs_stopped.running_and_failing",
    "job_added",
    "tokens_of_an_hour",
    "policy_widened.one_tenant",
    "helpers_reworded",
    "view_leaks.function_elsewhere",
    "row_security_off.new_table",
)


def held(view):
    """Return what tables hold, and how the database is defined."""
    rows = {
        table: view.rows(HELD.format(table, QUIET.get(table, "true")))[0]["held"]
        for table in TABLES
    }
    return {**rows, **view.rows(DEFINED)[0]}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_there_and_leaves_nothing(view, name):
    """Every row, policy, helper and job is as it was, also after a second heal."""
    before = held(view)
    FAULTS[name].inject(view.state)
    assert held(view) != before or name == "view_leaks.function_elsewhere"
    FAULTS[name].heal(view.state)
    FAULTS[name].heal(view.state)
    assert held(view) == before


def test_the_journal_takes_back_what_one_fault_did_and_nothing_else(view):
    """A row that is inserted, changed and deleted is as before; another fault's stays."""
    made = "insert into tenants (slug, name) values ('{0}', '{0}')"
    change(view.state, made.format("first"), fault="one", tables=["tenants"])
    change(
        view.state,
        made.format("second"),
        "update tenants set name = 'First' where slug = 'first'",
        "delete from tenants where slug = 'second'",
        fault="two",
        tables=["tenants"],
    )
    names = "select name from tenants where slug in ('first', 'second')"
    assert view.rows(names) == [{"name": "First"}]
    take_back(view.state, fault="two")
    assert view.rows(names) == [{"name": "first"}]
    take_back(view.state, fault="one")
    assert view.rows(names) == []


def test_one_machine_of_three_is_silent_and_two_beat(view):
    """Its sessions beat last three minutes ago, and healing leaves one machine."""
    FAULTS["agent_hung.one_of_three"].inject(view.state)
    silent = "last_heartbeat_at < clock_timestamp() - interval '90 seconds'"
    counted = view.rows(
        f"SELECT count(*) FILTER (WHERE {silent}) AS silent, "
        f"count(*) FILTER (WHERE NOT {silent}) AS beating "
        "FROM mission_sessions WHERE status = 'active'"
    )[0]
    FAULTS["agent_hung.one_of_three"].heal(view.state)

    assert 2 <= counted["silent"] <= 3
    assert counted["silent"] + counted["beating"] == 8
    assert len(view.machines()) == 1
    assert view.all_beat()


@pytest.mark.parametrize("fault", ["policy_widened", "purge_reaches"])
def test_a_heal_lets_the_jobs_run_again_that_a_runbook_held(lab, fault):
    """Whichever fault the runbook was run for."""
    with superuser(lab) as connection:
        connection.execute("update cron.job set active = false where jobid = 1")
        FAULTS[fault].heal(lab)
        (held,) = connection.execute("select count(*) from cron.job where not active").fetchone()
    assert held == 0
