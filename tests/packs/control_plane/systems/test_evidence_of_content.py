"""Counts that are right over content that is wrong, and other words for what means the same."""

import json
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.systems import (
    backups,
    claims,
    grants,
    helper_functions,
    policies,
    restores,
    visibility,
)
from runbook_nb.packs.control_plane.systems._database.owner import demand_few
from runbook_nb.packs.control_plane.systems.restores.actions import _demand_loss
from runbook_nb.probes.environment import Environment
from runbook_nb.timeline.store.embedded.files import read_secret

TENANT = "(select id from tenants where slug = 'northwind')"
KEPT = "create table aside_rows as select * from {}"
POLICIES = """
select tablename, policyname, qual, with_check from pg_policies where schemaname = 'public'
"""
HELPERS = """
select pg_get_functiondef(oid) from pg_proc
where pronamespace = 'public'::regnamespace
  and proname in ('current_claims', 'current_tenant_id', 'current_user_id', 'current_roles',
                  'has_role', 'mission_accessible')
"""
# The same six functions as somebody else wrote them down.
OTHER_HELPERS = """
CREATE OR REPLACE FUNCTION public.current_tenant_id() RETURNS uuid LANGUAGE sql STABLE AS $x$
  SELECT NULLIF(public.current_claims() ->> 'tenant_id', '')::uuid $x$;
CREATE OR REPLACE FUNCTION public.current_user_id() RETURNS uuid LANGUAGE sql STABLE AS $x$
  SELECT CASE WHEN public.current_claims() ->> 'sub' <> ''
              THEN (public.current_claims() ->> 'sub')::uuid END $x$;
CREATE OR REPLACE FUNCTION public.current_roles() RETURNS text[] LANGUAGE sql STABLE AS $x$
  SELECT COALESCE(array_agg(role), '{}') FROM jsonb_array_elements_text(
      COALESCE(public.current_claims() -> 'roles', '[]'::jsonb)) AS role $x$;
CREATE OR REPLACE FUNCTION public.has_role(target_role text) RETURNS boolean
LANGUAGE sql STABLE AS $x$ SELECT public.current_roles() @> ARRAY[target_role] $x$;
CREATE OR REPLACE FUNCTION public.mission_accessible(mid uuid) RETURNS boolean
LANGUAGE sql STABLE AS $x$
  SELECT EXISTS (SELECT 1 FROM public.missions m WHERE m.id = mid AND (
      public.has_role('service') OR public.has_role('governance')
      OR (m.status <> 'draft' AND public.has_role('analytics'))
      OR m.tenant_id = public.current_tenant_id())) $x$;
"""


@pytest.fixture
def connection(lab):
    """Connect as the superuser."""
    with psycopg.connect(read_secret(lab.folder, "postgres.dsn"), autocommit=True) as found:
        yield found


@contextmanager
def kept(connection, table, *, changed):
    """Keep a table aside, change its rows, and put each back as it was."""
    connection.execute(KEPT.format(table).encode())
    try:
        connection.execute(changed.encode())
        yield
    finally:
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            connection.execute(f"delete from {table}".encode())
            connection.execute(f"insert into {table} select * from aside_rows".encode())
            connection.execute("drop table aside_rows")


# --- Counts are right, content is wrong.


def test_as_many_new_rows_as_were_deleted_make_up_for_nothing(connection, hands):
    """The count of the table is what it was."""
    table = "mission_feedback"
    changed = f"""
    with gone as (delete from {table} where mission_id in (
        select id from missions where tenant_id = {TENANT}) returning *)
    insert into {table} (mission_id, rating, submitted_at)
    select mission_id, rating, submitted_at from gone
    """
    before = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    with kept(connection, table, changed=changed):
        assert connection.execute(f"select count(*) from {table}".encode()).fetchone() == before
        read = hands.read(backups.rows_lost())
        assert read.value == read.detail[0]["gone"] > 50
        assert read.detail[0]["table"] == table
    assert hands.value(backups.rows_lost()) == 0


def test_an_update_without_its_condition_is_found(connection, hands):
    """Not one row more or less, and one column overwritten for a whole tenant."""
    changed = f"update missions set title = 'Quarterly review' where tenant_id = {TENANT}"
    with kept(connection, "missions", changed=changed):
        assert hands.value(backups.rows_lost()) == 0
        assert hands.value(backups.rows_changed()) > 100
    assert hands.value(backups.rows_changed()) == 0


def test_what_users_change_and_remove_one_by_one_is_no_loss(connection, hands):
    """One row each; nothing is brought back for it."""
    one = "(select id from {} order by id limit 1)"
    changed = (
        f"update library_entries set title = 'Renamed' where id = {one.format('library_entries')}"
    )
    with kept(connection, "library_entries", changed=changed):
        assert hands.value(backups.rows_changed()) == 0
    gone = f"delete from mission_feedback where id = {one.format('mission_feedback')}"
    with kept(connection, "mission_feedback", changed=gone):
        read = hands.read(backups.rows_lost())
        assert read.value == 0
        assert read.detail[0]["verdict"] == "removed singly"
        with pytest.raises(NothingDoneError, match="one by one or on purpose"):
            _demand_loss(hands.environment.reading([]), 1)
    assert restores.bring_back


def test_a_deletion_that_an_event_tells_of_was_planned(connection, hands):
    """It names the tenant."""
    gone = f"delete from library_entries where tenant_id = {TENANT}"
    said = f"""
    insert into telemetry_events (event_type, context, correlation_id)
    select 'workspace_library_removed', jsonb_build_object('tenantId', {TENANT}), 'test-planned'
    """
    connection.execute("create table aside_embeddings as select * from library_embeddings")
    try:
        with kept(connection, "library_entries", changed=gone):
            assert hands.value(backups.rows_lost()) > 5
            connection.execute(said.encode())
            assert hands.value(backups.rows_lost()) == 0
    finally:
        connection.execute("delete from telemetry_events where correlation_id = 'test-planned'")
        connection.execute(
            "insert into library_embeddings select * from aside_embeddings on conflict do nothing"
        )
        connection.execute("drop table aside_embeddings")


def test_a_purge_gone_wild_is_found_and_a_purge_is_not(connection, hands):
    """Nine rows in ten are gone that retention keeps."""
    assert hands.value(backups.purged_early()) == 0
    wild = "delete from undo_events where hashtext(id::text) % 10 <> 0"
    with kept(connection, "undo_events", changed=wild):
        assert hands.value(backups.purged_early()) > 100


@pytest.mark.parametrize("content", [b"", bytes(16 * 1024 * 1024)])
def test_a_segment_without_content_is_missing(lab, hands, content):
    """A listing shows it, and nothing after it can be restored."""
    archive = lab.folder / "postgres" / "archive"
    newest = max(file for file in archive.iterdir() if len(file.name) == 24)
    number = int(newest.name[16:], 16) + 1
    planted = archive / f"{newest.name[:16]}{number:08X}"
    planted.write_bytes(content)
    try:
        read = hands.read(backups.missing_segments())
    finally:
        planted.unlink()
    assert read.value == 1
    assert planted.name in read.detail["there and of no use"]


def test_a_job_that_runs_and_fails_is_found_and_one_more_job_is_no_failure(connection, hands):
    """Both are in the evidence."""
    connection.execute("""
    insert into cron.job_run_details (jobid, runid, command, status, return_message, start_time)
    select 3, 900001, 'select 1', 'failed', 'permission denied', now()
    """)
    connection.execute("select cron.schedule('weekly_report', '0 9 * * 1', 'select 1')")
    try:
        assert hands.value(backups.failing_jobs()) == 1
        assert hands.value(backups.scheduled_jobs()) == 0
    finally:
        connection.execute("delete from cron.job_run_details where runid = 900001")
        connection.execute("select cron.unschedule('weekly_report')")
    assert hands.value(backups.failing_jobs()) == 0


def test_without_a_list_of_rows_nothing_is_known_of_them(lab, hands):
    """A backup of elsewhere keeps none."""
    listed = next(Path(lab.folder / "backups").glob("*/rows.json"))
    text = listed.read_text()
    listed.unlink()
    try:
        with pytest.raises(NoAnswerError, match="keeps no list of its rows"):
            hands.read(backups.rows_changed())
    finally:
        listed.write_text(text)
    assert json.loads(text)["rows"]["missions"]


# --- Other words for the same, and another meaning in nearly the same words.


@contextmanager
def spelled_otherwise(connection):
    """Have every policy and helper function say the same in other words; put the words back."""
    policies_were = connection.execute(POLICIES).fetchall()
    helpers_were = [row[0] for row in connection.execute(HELPERS)]
    connection.execute(OTHER_HELPERS)
    for table, name, using, check in policies_were:
        connection.execute(alter(table, name, using=other(using), check=other(check)))
    try:
        yield
    finally:
        for definition in helpers_were:
            connection.execute(definition)
        for table, name, using, check in policies_were:
            connection.execute(alter(table, name, using=using, check=check))


def other(rule):
    """Swap the sides of an or, prefix the schema, select 1, and say once more what is said."""
    if rule is None:
        return None
    rule = rule.replace("EXISTS ( SELECT\n", "EXISTS ( SELECT 1\n")
    for name in ("has_role", "mission_accessible", "current_tenant_id"):
        rule = rule.replace(f"{name}(", f"public.{name}(")
    return f"((public.has_role('service') and {rule}) or {rule})"


def alter(table, name, *, using, check):
    parts = [f"using ({using})"] if using else []
    parts += [f"with check ({check})"] if check else []
    return f"alter policy {name} on {table} {' '.join(parts)}".encode()


@pytest.mark.slow
def test_a_platform_that_says_it_in_other_words_is_healthy(connection, hands):
    """All 46 policies and the helper functions; restoring them would change nothing."""
    with spelled_otherwise(connection):
        for probe in (policies.drift(), helper_functions.drift(), grants.drift()):
            assert hands.read(probe).detail == []
        for group in ("missions", "events", "views"):
            assert hands.value(visibility.matrix(group=group)) == "as promised"
        assert hands.rehearse(policies.restore())["policies"] == []


@pytest.mark.parametrize(
    "rule",
    [
        "mission_accessible(mission_id)",
        "mission_accessible(mission_id) or has_role('service') or has_role('support')",
        "has_role('service') or current_user_id() = '6f1c0a4e-95b1-4be3-8f7e-0d9a3f6f2b11'",
        "true",
    ],
)
def test_a_policy_that_lets_one_caller_more_or_less_differs(connection, hands, rule):
    """A role, a person, everybody; and where no mission is named, the service."""
    name, table = "mission_audit_write", "composio_audit_events"
    was = "(mission_accessible(mission_id) OR has_role('service'::text))"
    connection.execute(alter(table, name, using=rule, check=was))
    try:
        assert hands.value(policies.drift()) == 1
    finally:
        connection.execute(alter(table, name, using=was, check=was))
    assert hands.value(policies.drift()) == 0


def test_an_expectation_of_another_platform_is_not_enforced():
    """One release touches a few policies, and not most of them."""
    demand_few(8, of=46, what="policies")
    with pytest.raises(NothingDoneError, match="take a baseline"):
        demand_few(19, of=46, what="policies")


def test_what_is_not_there_is_unknown_by_its_name(lab, connection, hands):
    """And the rest can still pass."""
    connection.execute("alter table mission_feedback rename to mission_feedback_elsewhere")
    try:
        for probe, column in ((policies.drift(), "Table"), (grants.drift(), "Grant")):
            read = hands.read(probe)
            unknown = [row for row in read.detail if row["differs"].startswith("unknown")]
            assert any("mission_feedback" in row[column] for row in unknown)
    finally:
        connection.execute("alter table mission_feedback_elsewhere rename to mission_feedback")


def test_a_viewer_that_may_not_become_a_caller_has_seen_nothing(lab, connection):
    """That is no denial of the caller's."""
    connection.execute("create role blind login password 'blind-viewer' noinherit")
    try:
        dsn = psycopg.conninfo.make_conninfo(
            read_secret(lab.folder, "viewer.dsn"), user="blind", password="blind-viewer"
        )
        (lab.folder / "secrets" / "blind.dsn").write_text(dsn)
        secrets = {name: f"file:{lab.folder}/secrets/{name}.dsn" for name in ("reader", "blind")}
        trial = Environment(
            "trial",
            {
                "kind": "lab",
                "database": {"reader": secrets["reader"]},
                "viewer": {"reader": secrets["blind"]},
            },
        )
        with pytest.raises(NoAnswerError, match="may not become"):
            visibility.matrix(group="missions").read(trial.reading([]))
    finally:
        connection.execute("drop role blind")


def test_another_companys_tenant_in_the_claims_is_found(connection, hands):
    """It is well-formed, and shows its rows to strangers."""
    swap = """
    update auth.users u
    set raw_app_meta_data = raw_app_meta_data || jsonb_build_object('tenant_id', (
        select o.raw_app_meta_data -> 'tenant_id' from auth.users o where o.email like %s limit 1))
    where u.email in (select email from auth.users where email like '%%northwind%%'
                      order by email limit 2)
    """
    own = connection.execute(
        "select email from auth.users where email like '%%northwind%%' order by email desc limit 1"
    ).fetchone()[0]
    assert hands.value(claims.misshapen()) == 0
    connection.execute(swap, ["%harbourlight%"])
    try:
        assert hands.value(claims.misshapen()) == 2
    finally:
        connection.execute(swap, [own])
    assert hands.value(claims.misshapen()) == 0


def test_a_function_with_owners_rights_outside_public_is_found(connection, hands):
    """Where callers may use its schema."""
    connection.execute("create schema tools")
    make = "create function tools.peek() returns bigint language sql security definer as "
    connection.execute(f"{make} 'select count(*) from public.missions'".encode())
    try:
        assert hands.value(helper_functions.definers()) == 0
        connection.execute("grant usage on schema tools to anon")
        assert hands.value(helper_functions.definers()) == 1
    finally:
        connection.execute("drop schema tools cascade")
