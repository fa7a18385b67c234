"""The lab's database is the platform's data model, with its known defects left in."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from runbook_nb.packs.control_plane.lab.database import apply_schema
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres

pytestmark = pytest.mark.lab

CATALOGUE: dict[str, Any] = json.loads((Path(__file__).parent / "catalogue.json").read_text())
READER_PASSWORD = "made up for this test"
API_ROLES = ["anon", "authenticated", "service_role"]

Connection = psycopg.Connection[tuple[Any, ...]]

COLUMNS = """
select
    pg_class.relname,
    attname,
    format_type(atttypid, atttypmod),
    not attnotnull,
    pg_get_expr(adbin, adrelid)
from pg_attribute
inner join pg_class on pg_class.oid = attrelid
left join pg_attrdef on adrelid = attrelid and adnum = attnum
where
    relnamespace = 'public'::regnamespace
    and relkind = %s
    and attnum > 0
    and not attisdropped
order by pg_class.oid, attnum
"""
KEYS = """
select
    conrelid::regclass::text,
    contype::text,
    array(
        select attname::text
        from unnest(conkey) with ordinality as key (attnum, place)
        inner join pg_attribute on attrelid = conrelid and pg_attribute.attnum = key.attnum
        order by place
    ),
    nullif(confrelid, 0)::regclass::text,
    case confdeltype when 'a' then 'NO ACTION' when 'c' then 'CASCADE' when 'n' then 'SET NULL' end
from pg_constraint
where connamespace = 'public'::regnamespace and contype = any(%s)
"""
CHECKS = """
select
    conrelid::regclass::text,
    attname,
    format_type(atttypid, atttypmod),
    pg_get_expr(conbin, conrelid)
from pg_constraint
inner join pg_attribute on attrelid = conrelid and array[attnum] = conkey
where connamespace = 'public'::regnamespace and contype = 'c'
order by conrelid::regclass::text, attname
"""
INDEXES = """
select pg_get_indexdef(indexrelid)
from pg_index
inner join pg_class on pg_class.oid = indexrelid
where relnamespace = 'public'::regnamespace and not indisprimary
"""
POLICIES = """
select
    tablename || '.' || policyname,
    permissive = 'PERMISSIVE',
    roles::text[],
    cmd,
    qual,
    with_check
from pg_policies
where schemaname = 'public'
"""
TRIGGERS = """
select tgname, tgrelid::regclass::text, tgfoid::regproc::text, pg_get_triggerdef(pg_trigger.oid)
from pg_trigger
inner join pg_class on pg_class.oid = tgrelid
where relnamespace = 'public'::regnamespace and not tgisinternal
"""
FUNCTIONS = """
select
    proname,
    pg_get_function_arguments(pg_proc.oid),
    pg_get_function_result(pg_proc.oid),
    lanname,
    case provolatile when 'v' then 'volatile' when 's' then 'stable' when 'i' then 'immutable' end,
    prosecdef,
    proconfig,
    case proparallel when 'u' then 'unsafe' else 'other' end
from pg_proc
inner join pg_language on pg_language.oid = prolang
where
    pronamespace = 'public'::regnamespace
    and not exists (
        select from pg_depend
        where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
    )
"""
COMMENTED = """
select distinct coalesce(proname, relname)::text as name
from pg_description
left join pg_proc on classoid = 'pg_proc'::regclass and pg_proc.oid = objoid
left join pg_class on classoid = 'pg_class'::regclass and pg_class.oid = objoid
where
    coalesce(pronamespace, relnamespace) = 'public'::regnamespace
    and not exists (
        select from pg_depend
        where
            pg_depend.classid = classoid and pg_depend.objid = objoid and deptype = 'e'
    )
order by name
"""
# How a policy's expression says each of the conditions that the catalogue names in words.
POLICY_TERMS = {
    r"mission_accessible\(mission_id\)": "mission_accessible",
    r"has_role\('service'::text\)": "service",
    r"has_role\('governance'::text\)": "governance",
    r"has_role\('analytics'::text\)": "analytics",
    r"tenant_id = current_tenant_id\(\)": "own tenant",
    r"tenant_id IS NULL": "tenant null",
    r"mission_id IS NULL": "mission null",
}


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Start a server of our own, apply the schema, and yield its connection string."""
    with tempfile.TemporaryDirectory(prefix="runbook-catalogue-") as folder:
        # As root the server runs as nobody, who has to pass through this folder.
        Path(folder).chmod(0o711)
        server = LabPostgres(Path(folder))
        server.start()
        try:
            apply_schema(server.dsn())
            yield server.dsn()
        finally:
            server.stop()


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Yield a connection as the owner, and roll back what was done on it."""
    with psycopg.connect(database) as connection:
        yield connection
        connection.rollback()


def add_tenant(connection: Connection, slug: str) -> UUID:
    adding = "insert into tenants (slug, name) values (%s, 'A customer') returning id"
    tenant: UUID = one(connection, adding, slug)
    return tenant


def add_mission(connection: Connection, tenant: UUID, status: str = "in_progress") -> UUID:
    adding = "insert into missions (tenant_id, title, status) values (%s, 'Renew', %s) returning id"
    mission: UUID = one(connection, adding, tenant, status)
    return mission


def one(connection: Connection, query: LiteralString, *parameters: object) -> Any:
    """Return the single value of the single row."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def acting_as(
    connection: Connection, role: str, claims: dict[str, object] | None = None
) -> Iterator[None]:
    """Work under ``role`` with the claims of a JSON web token; changes inside are rolled back."""
    with connection.transaction(force_rollback=True):
        setting = "" if claims is None else json.dumps(claims)
        connection.execute("select set_config('request.jwt.claims', %s, true)", [setting])
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        yield


def without_casts(expression: str | None) -> str | None:
    """Return a default as the catalogue writes it: no cast, no quotes."""
    return expression and re.sub(r"::[\w ]+(\[\])?", "", expression).strip("'")


def policy_terms(expression: str | None) -> list[str] | None:
    """Return the conditions that a policy joins by OR."""
    if expression is None:
        return None
    return sorted(term for pattern, term in POLICY_TERMS.items() if re.search(pattern, expression))


def test_there_are_as_many_objects_as_the_platform_has() -> None:
    """The counts guard the catalogue itself against a lost line."""
    tables = CATALOGUE["tables"].values()

    assert len(tables) == 24
    assert sum(len(table["columns"]) for table in tables) == 251
    assert sum(table["row_level_security"] for table in tables) == 23
    assert {
        kind: len(CATALOGUE[kind])
        for kind in ("enums", "policies", "triggers", "functions", "views", "jobs")
    } == {"enums": 15, "policies": 46, "triggers": 14, "functions": 14, "views": 7, "jobs": 4}
    assert len(CATALOGUE["materialized_views"]) == 5


def test_tables_have_the_columns_of_the_platform(connection: Connection) -> None:
    """Names, order, types, nullability and defaults are those of the catalogue."""
    found: dict[str, list[dict[str, object]]] = {}
    for table, name, kind, nullable, default in connection.execute(COLUMNS, ["r"]):
        column = {"name": name, "type": kind, "nullable": nullable}
        found.setdefault(table, []).append({**column, "default": without_casts(default)})

    assert found == {name: table["columns"] for name, table in CATALOGUE["tables"].items()}


def test_enumerated_types_have_their_labels_in_order(connection: Connection) -> None:
    """The order of labels is the order of stages and severities."""
    found: dict[str, list[str]] = dict(
        connection.execute(
            "select enumtypid::regtype::text, array_agg(enumlabel::text order by enumsortorder)"
            " from pg_enum group by 1"
        ).fetchall()
    )

    assert found == CATALOGUE["enums"]


def test_tables_have_their_primary_unique_and_foreign_keys(connection: Connection) -> None:
    """Foreign keys include what happens to the row when its parent is deleted."""
    found: dict[str, dict[str, Any]] = {
        table: {"primary_key": None, "unique": [], "foreign_keys": []}
        for table in CATALOGUE["tables"]
    }
    for table, kind, columns, parent, on_delete in connection.execute(KEYS, [["p", "u", "f"]]):
        if kind == "p":
            found[table]["primary_key"] = columns
        elif kind == "u":
            found[table]["unique"].append(columns)
        else:
            key = {"column": columns[0], "references": parent, "on_delete": on_delete}
            found[table]["foreign_keys"].append(key)
    for keys in found.values():
        keys["foreign_keys"].sort(key=lambda key: key["column"])

    kinds = ("primary_key", "unique", "foreign_keys")
    assert found == {
        name: {kind: table[kind] for kind in kinds} for name, table in CATALOGUE["tables"].items()
    }


def test_constraints_that_the_platform_names_have_that_name(connection: Connection) -> None:
    """Error messages and repairs use these names."""
    names = one(
        connection,
        "select array_agg(conname::text) from pg_constraint"
        " where connamespace = 'public'::regnamespace",
    )

    assert set(CATALOGUE["named_constraints"]) <= set(names)


def test_checks_accept_and_refuse_the_same_values(connection: Connection) -> None:
    """A check is what it lets pass, however it is written."""
    found = connection.execute(CHECKS).fetchall()
    wanted = [
        (name, check)
        for name, table in sorted(CATALOGUE["tables"].items())
        for check in table["checks"]
    ]
    assert [(table, column) for table, column, *_ in found] == [
        (table, check["column"]) for table, check in wanted
    ]
    for (_, column, kind, expression), (_, check) in zip(found, wanted, strict=True):
        probing = sql.SQL("select {} is not false from (select %s::{} as {}) as candidate").format(
            sql.SQL(expression), sql.SQL(kind), sql.Identifier(column)
        )
        for value in [*check["accepted"], *check["refused"]]:
            row = connection.execute(probing, [value]).fetchone()
            assert row == (value in check["accepted"],), (column, value)


def test_indexes_are_those_of_the_platform(connection: Connection) -> None:
    """Among them the HNSW index over cosine distance, with pgvector's own settings."""
    form = r"CREATE (UNIQUE )?INDEX (\w+) ON public\.(\w+) USING (\w+) \((.*)\)"
    found = {}
    for (definition,) in connection.execute(INDEXES):
        matched = re.fullmatch(form, definition)
        assert matched is not None, definition
        unique, name, table, method, columns = matched.groups()
        columns = re.sub(r"::\w+", "", columns)
        shape = {"table": table, "method": method, "unique": bool(unique), "columns": columns}
        found[name] = shape

    assert found == CATALOGUE["indexes"]


def test_row_level_security_is_on_everywhere_but_for_personas(connection: Connection) -> None:
    """It is enabled, not forced: the owner passes."""
    found = connection.execute(
        "select relname, relrowsecurity, relforcerowsecurity from pg_class"
        " where relnamespace = 'public'::regnamespace and relkind = 'r'"
    ).fetchall()

    tables = CATALOGUE["tables"].items()
    assert sorted(found) == sorted((n, t["row_level_security"], False) for n, t in tables)


def test_policies_are_those_of_the_platform(connection: Connection) -> None:
    """Name, command, roles, and the conditions of both clauses."""
    found = {
        name: {
            "permissive": permissive,
            "roles": roles,
            "command": command,
            "using": policy_terms(using),
            "check": policy_terms(check),
        }
        for name, permissive, roles, command, using, check in connection.execute(POLICIES)
    }

    assert found == CATALOGUE["policies"]


def test_triggers_are_those_of_the_platform(connection: Connection) -> None:
    """All of them stamp updated_at before a row is updated."""
    found = {}
    for name, table, function, definition in connection.execute(TRIGGERS):
        assert f"BEFORE UPDATE ON public.{table} FOR EACH ROW" in definition
        found[name] = {"table": table, "function": function, "fires": "BEFORE UPDATE ROW"}

    assert found == CATALOGUE["triggers"]


def test_functions_are_those_of_the_platform(connection: Connection) -> None:
    """None of them runs with its owner's rights or pins the search path."""
    names = ("arguments", "returns", "language", "volatility", "security_definer", "settings")
    found = {
        name: dict(zip((*names, "parallel"), facts, strict=True))
        for name, *facts in connection.execute(FUNCTIONS)
    }

    assert found == CATALOGUE["functions"]


def test_materialized_views_have_their_columns_and_keys(connection: Connection) -> None:
    """The unique key is what lets a refresh run concurrently."""
    found: dict[str, list[dict[str, str]]] = {}
    for view, name, kind, *_ in connection.execute(COLUMNS, ["m"]):
        found.setdefault(view, []).append({"name": name, "type": kind})

    wanted = CATALOGUE["materialized_views"]
    assert found == {name: view["columns"] for name, view in wanted.items()}
    for name, view in wanted.items():
        index = CATALOGUE["indexes"][name.replace("_mv", "_pk")]
        assert index["columns"] == ", ".join(view["unique_key"])


def test_views_have_their_columns_and_options(connection: Connection) -> None:
    """No view has security_invoker, so each runs with its owner's rights."""
    columns: dict[str, list[str]] = {}
    for view, name, *_ in connection.execute(COLUMNS, ["v"]):
        columns.setdefault(view, []).append(name)
    options = connection.execute(
        "select relname, coalesce(reloptions, '{}') from pg_class where relname = any(%s)",
        [list(columns)],
    ).fetchall()
    found = {name: {"options": chosen, "columns": columns[name]} for name, chosen in options}

    assert found == CATALOGUE["views"]


def test_jobs_are_those_of_the_platform(connection: Connection) -> None:
    """pg_cron's catalogue holds them, active, in the order they were made."""
    found = connection.execute(
        "select jobname, schedule, command from cron.job where active order by jobid"
    ).fetchall()

    assert found == [
        (name, job["schedule"], f"select {job['calls']}") for name, job in CATALOGUE["jobs"].items()
    ]


def test_comments_are_on_the_objects_that_have_them(connection: Connection) -> None:
    """The four functions of the jobs, the search, and two views."""
    assert [name for (name,) in connection.execute(COMMENTED)] == CATALOGUE["commented"]


def test_the_platform_starts_with_four_personas_and_a_demo_tenant(connection: Connection) -> None:
    """They are the only rows of a new workspace."""
    personas = [name for (name,) in connection.execute("select name from personas order by name")]

    assert personas == ["Engineering", "Governance", "RevOps", "Support"]
    assert connection.execute("select slug, name from tenants").fetchall() == [
        ("demo", "Demo Workspace")
    ]


def test_api_roles_may_do_everything_that_row_level_security_lets_through(
    connection: Connection,
) -> None:
    """Supabase grants all on public, so only the policies stand between tenants."""
    short = connection.execute(
        "select relname, role, privilege from pg_class"
        " cross join unnest(%s::text[]) as role"
        " cross join unnest('{select,insert,update,delete,truncate}'::text[]) as privilege"
        " where relnamespace = 'public'::regnamespace and relkind in ('r', 'm', 'v')"
        " and not has_table_privilege(role, pg_class.oid, privilege)",
        [API_ROLES],
    ).fetchall()

    assert short == []


def test_everyone_may_execute_every_function(connection: Connection) -> None:
    """EXECUTE stays with PUBLIC."""
    assert one(
        connection,
        "select bool_and(has_function_privilege('runbook_reader', oid, 'execute')) from pg_proc"
        " where pronamespace = 'public'::regnamespace and proname = any(%s)",
        list(CATALOGUE["functions"]),
    )


def test_roles_are_supabases_and_the_labs(connection: Connection) -> None:
    """Who may log in, who inherits, who bypasses row level security."""
    found = connection.execute(
        "select rolname, rolcanlogin, rolinherit, rolbypassrls, rolsuper from pg_roles"
        " where rolname !~ '^pg_' and rolname <> 'postgres' order by rolname"
    ).fetchall()

    assert found == [
        ("agent_service", True, True, True, False),
        ("anon", False, False, False, False),
        ("authenticated", False, False, False, False),
        ("authenticator", True, False, False, False),
        ("runbook_reader", True, True, True, False),
        ("runbook_viewer", True, False, False, False),
        ("runbook_writer", True, True, True, False),
        ("service_role", False, False, True, False),
    ]


def test_the_runbook_reader_cannot_insert(database: str, connection: Connection) -> None:
    """Neither as it logs in, nor after it has turned the read-only default off."""
    connection.execute(f"alter role runbook_reader password '{READER_PASSWORD}'")
    connection.commit()
    as_reader = make_conninfo(database, user="runbook_reader", password=READER_PASSWORD)
    inserting = "insert into personas (name) values ('Intruder')"

    with psycopg.connect(as_reader, autocommit=True) as reader:
        assert one(reader, "show statement_timeout") == "10s"
        assert one(reader, "select count(*) from cron.job") == 4
        assert one(reader, "select count(*) from tenants") == 1
        with pytest.raises(errors.ReadOnlySqlTransaction):
            reader.execute(inserting)
        reader.execute("set default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(inserting)
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute("select cron.schedule('intruder', '* * * * *', 'select 1')")


# What changes rows, and what changes or holds up others without changing one.
WRITES = [
    "update missions set title = 'B'",
    "delete from missions",
    "truncate missions",
    "insert into personas (name) values ('Intruder')",
    "create table intruder (id int)",
    "create temporary table intruder (id int)",
    "create function intruder() returns int language sql as 'select 1'",
    "alter table missions add column intruder int",
    "drop table missions",
    "refresh materialized view executive_summary_mv",
    "do 'begin lock table missions in access exclusive mode; end'",
    "select cron.schedule('intruder', '* * * * *', 'select 1')",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_xact_lock_shared(1, 2)",
    "select pg_notify('intruder', 'x')",
    "select pg_logical_emit_message(true, 'intruder', 'x')",
    "select lo_create(0)",
    "select lo_from_bytea(0, 'x')",
    "select lo_unlink(1)",
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
    "select pg_reload_conf()",
    "select pg_switch_wal()",
    "select pg_promote()",
    "select pg_read_file('/etc/hostname')",
    "copy missions to program 'true'",
    "copy (select 1) to '/tmp/intruder'",
    "alter system set work_mem = '1MB'",
    "set session_replication_role = replica",
    "select rolpassword from pg_authid",
    "create role intruder",
    "set role postgres",
    "set role service_role",
    "set session authorization postgres",
]


@pytest.mark.parametrize("role", ["runbook_reader", "runbook_viewer"])
def test_who_reads_can_do_nothing_else(database: str, connection: Connection, role: str) -> None:
    """Each is tried with the read-only default off, as an attacker or a pooler would have it."""
    connection.execute(f"alter role {role} password '{READER_PASSWORD}'")
    connection.commit()
    as_role = make_conninfo(database, user=role, password=READER_PASSWORD)
    done, strange = [], []
    with psycopg.connect(as_role, autocommit=True) as intruder:
        intruder.execute("set default_transaction_read_only = off")
        for attempt in WRITES:
            try:
                intruder.execute(attempt)
            except errors.InsufficientPrivilege:
                continue
            except psycopg.Error as error:
                strange.append(f"{attempt}: {error}")
            else:
                done.append(attempt)

    assert done == []
    # All were refused for want of a right, and none because it was written wrongly.
    assert strange == []


def test_the_reader_is_nobody_else_and_the_viewer_only_callers(connection: Connection) -> None:
    """The reader sees all rows as itself; the viewer sees none until it looks as a caller."""
    held = connection.execute(
        "select r.rolname::text, m.rolname::text from pg_auth_members a"
        " join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member"
        " where a.set_option and m.rolname in ('runbook_reader', 'runbook_viewer')"
        " and r.rolname !~ '^pg_' order by 1"
    ).fetchall()

    assert held == [("anon", "runbook_viewer"), ("authenticated", "runbook_viewer")]
    assert not one(connection, "select has_table_privilege('runbook_viewer', 'missions', 'select')")
    unread = connection.execute(
        "select oid::regclass::text from pg_class where relkind in ('r', 'm', 'v')"
        " and relnamespace in ('public'::regnamespace, 'cron'::regnamespace, 'auth'::regnamespace)"
        " and not has_table_privilege('runbook_reader', oid, 'select')"
    ).fetchall()
    assert unread == []


def test_the_runbook_reader_holds_no_write_privilege(connection: Connection) -> None:
    """Nothing in public is granted to PUBLIC, so nothing reaches the reader."""
    writable = connection.execute(
        "select oid::regclass from pg_class where relkind in ('r', 'm', 'v')"
        " and relnamespace in ('public'::regnamespace, 'cron'::regnamespace)"
        " and has_table_privilege('runbook_reader', oid, 'insert, update, delete, truncate')"
    ).fetchall()

    assert writable == []


@pytest.mark.parametrize("role", ["runbook_writer", "agent_service"])
def test_writers_change_rows_of_every_tenant(connection: Connection, role: str) -> None:
    """They bypass row level security, as the platform's service key does."""
    mission = add_mission(connection, add_tenant(connection, "a"))

    with acting_as(connection, role):
        changed = connection.execute("update missions set title = 'B' where id = %s", [mission])
        assert changed.rowcount == 1


def test_a_connection_cannot_be_updated(connection: Connection) -> None:
    """Its trigger sets a column that the table does not have."""
    mission = add_mission(connection, add_tenant(connection, "a"))
    connection.execute(
        "insert into mission_connections (mission_id, toolkit_slug) values (%s, 'gmail')", [mission]
    )

    with pytest.raises(errors.UndefinedColumn, match='record "new" has no field "updated_at"'):
        connection.execute("update mission_connections set status = 'approved'")


def test_an_update_stamps_the_row(connection: Connection) -> None:
    """An older time cannot be written by an update."""
    tenant = add_tenant(connection, "a")
    stamping = "update tenants set updated_at = 'epoch' where id = %s returning updated_at = now()"

    assert one(connection, stamping, tenant)


def test_the_dashboard_ignores_lags_with_decimals(connection: Connection) -> None:
    """The mean of 100 and 9000.5 reads 100; the truth is 4550.25."""
    connection.execute(
        "insert into telemetry_events (event_type, context) values"
        " ('session_heartbeat', '{\"lag_ms\": 100}'),"
        " ('session_heartbeat', '{\"lag_ms\": 9000.5}'),"
        " ('session_heartbeat', '{\"lag_ms\": 12.5}'),"
        " ('session_heartbeat', '{}')"
    )
    connection.execute("refresh materialized view operations_health_mv")

    assert one(connection, "select avg_heartbeat_lag_ms from operations_health_mv") == 100


def test_operations_health_multiplies_its_counts(connection: Connection) -> None:
    """One error, 10 beats, 3 streams and 1 of 4 calls failed read as 12, 120, 3 and 33."""
    tenant = add_tenant(connection, "a")
    named = {"tenant": tenant, "mission": add_mission(connection, tenant)}
    connection.execute(
        "insert into telemetry_events (tenant_id, mission_id, event_type, status)"
        " select %(tenant)s, %(mission)s, 'session_heartbeat', status"
        " from generate_series(1, 10), cast('info' as telemetry_level) as status"
        " union all"
        " select %(tenant)s, %(mission)s, 'composio_tool_call_error', 'error'",
        named,
    )
    connection.execute(
        "insert into workspace_stream_sessions (tenant_id, mission_id, session_id)"
        " select %(tenant)s, %(mission)s, 'tab ' || number from generate_series(1, 3) as number",
        named,
    )
    connection.execute(
        "insert into composio_audit_events (tenant_id, mission_id, status)"
        " select %(tenant)s, %(mission)s, status"
        " from unnest('{failed,error,rate_limit,success}'::text[]) as status",
        named,
    )
    connection.execute("refresh materialized view operations_health_mv")

    found = connection.execute(
        "select error_events, heartbeat_events, active_streams, tool_failures"
        " from operations_health_mv"
    ).fetchall()
    assert found == [(12, 120, 3, 33)]


def test_governance_insights_multiplies_its_counts(connection: Connection) -> None:
    """1 blocked, 1 ready, 2 approvals, 5 pieces of evidence read as 10, 10, 20 and 5."""
    mission = add_mission(connection, add_tenant(connection, "a"))
    connection.execute(
        "insert into mission_stage_status (mission_id, stage, status)"
        " values (%(id)s, 'Prepare', 'blocked'), (%(id)s, 'Plan', 'ready')",
        {"id": mission},
    )
    connection.execute(
        "insert into mission_approvals (mission_id, approver_role, status)"
        " select %s, 'lead', 'approved' from generate_series(1, 2)",
        [mission],
    )
    connection.execute(
        "insert into mission_evidence (mission_id) select %s from generate_series(1, 5)", [mission]
    )
    connection.execute("refresh materialized view governance_insights_mv")

    found = connection.execute(
        "select blocked_stages, ready_stages, approvals_granted, approvals_rejected,"
        " evidence_items from governance_insights_mv"
    ).fetchall()
    assert found == [(10, 10, 20, 0, 5)]


@pytest.fixture
def two_tenants(connection: Connection) -> dict[str, UUID]:
    """Tenants A and B, each with a draft and a live mission and rows that hang on them."""
    tenants = {name: add_tenant(connection, name) for name in ("A", "B")}
    for tenant in tenants.values():
        for status in ("draft", "in_progress"):
            mission = [add_mission(connection, tenant, status)]
            for adding in (
                "insert into mission_safeguards (mission_id, category) values (%s, 'tone')",
                "insert into mission_feedback (mission_id, rating) values (%s, 5)",
                "insert into composio_audit_events (mission_id, status) values (%s, 'success')",
                "insert into telemetry_events (mission_id, event_type) values (%s, 'plan_ranked')",
                "insert into mission_stage_status (mission_id, stage) values (%s, 'Prepare')",
            ):
                connection.execute(adding, mission)
    connection.execute("insert into telemetry_events (event_type) values ('alert_rail_viewed')")
    connection.execute("insert into composio_audit_events (status) values ('success')")
    connection.execute("insert into workspace_stream_sessions (session_id) values ('tab')")
    connection.execute(
        "insert into library_entries (tenant_id, title) values (null, 'Shared'), (%s, 'Private')",
        [tenants["B"]],
    )
    connection.execute("select refresh_analytics_views()")
    return tenants


VISIBLE = """
select
    (select count(*) from missions),
    (select count(*) from mission_safeguards),
    (select count(*) from mission_feedback),
    (select count(*) from composio_audit_events where mission_id is not null),
    (select count(*) from composio_audit_events where mission_id is null),
    (select count(*) from telemetry_events where mission_id is not null),
    (select count(*) from telemetry_events where mission_id is null),
    (select count(*) from workspace_stream_sessions where mission_id is null),
    (select count(*) from library_entries where tenant_id is null),
    (select count(*) from library_entries where tenant_id is not null),
    (select count(*) from executive_summary),
    (select count(*) from governance_insights),
    (select count(*) from operations_health where tenant_id is not null)
"""


@pytest.mark.parametrize(
    ("role", "claims", "seen"),
    [
        ("anon", None, (0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0)),
        ("authenticated", {"tenant_id": "A"}, (2, 2, 2, 2, 0, 2, 1, 0, 1, 0, 1, 1, 0)),
        ("authenticated", {"roles": ["governance"]}, (4, 4, 4, 4, 1, 4, 1, 0, 1, 1, 2, 2, 0)),
        ("authenticated", {"roles": ["analytics"]}, (4, 2, 4, 4, 1, 4, 1, 0, 1, 1, 2, 0, 0)),
        ("authenticated", {"roles": ["service"]}, (4, 4, 4, 4, 1, 4, 1, 1, 1, 1, 2, 2, 0)),
        ("service_role", None, (4, 4, 4, 4, 1, 4, 1, 1, 1, 1, 0, 0, 0)),
    ],
)
def test_each_caller_sees_the_rows_that_the_platform_shows(
    connection: Connection,
    two_tenants: dict[str, UUID],
    role: str,
    claims: dict[str, object] | None,
    seen: tuple[int, ...],
) -> None:
    """Tenants see theirs, analytics no children of drafts, service_role empty dashboards."""
    if claims and "tenant_id" in claims:
        claims = {"tenant_id": str(two_tenants["A"])}

    with acting_as(connection, role, claims):
        assert connection.execute(VISIBLE).fetchone() == seen


def test_anyone_reads_the_analytics_of_every_tenant(
    connection: Connection, two_tenants: dict[str, UUID]
) -> None:
    """Materialized views carry no policies, and two views run with their owner's rights."""
    with acting_as(connection, "anon"):
        assert one(connection, "select count(*) from executive_summary_mv") == len(two_tenants)
        assert one(connection, "select count(*) from mission_readiness") == 4
        assert one(connection, "select count(*) from mission_stage_progress") == 4


@pytest.mark.usefixtures("two_tenants")
def test_governance_changes_rows_of_any_tenant_but_no_mission(connection: Connection) -> None:
    """The write policies ask the same question as the read policies."""
    with acting_as(connection, "authenticated", {"roles": ["governance"]}):
        assert connection.execute("delete from mission_safeguards").rowcount == 4
        assert connection.execute("delete from missions").rowcount == 0


@pytest.mark.parametrize(
    ("writing", "refused"),
    [
        ("insert into telemetry_events (event_type) values ('intent_submitted')", True),
        ("insert into tenants (slug, name) values ('c', 'C')", True),
        ("insert into library_entries (title) values ('For all')", False),
        ("insert into personas (name) values ('Anyone')", False),
    ],
)
def test_callers_without_claims_write_only_what_the_platform_lets_slip(
    connection: Connection, writing: LiteralString, *, refused: bool
) -> None:
    """Personas have no policies, and a library entry without tenant passes."""
    with acting_as(connection, "anon"):
        if refused:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(writing)
        else:
            assert connection.execute(writing).rowcount == 1


@pytest.mark.parametrize(
    "claims", [{"roles": "service"}, {"roles": None}, {"tenant_id": "acme", "roles": []}]
)
@pytest.mark.usefixtures("two_tenants")
def test_odd_claims_are_an_error_instead_of_an_empty_answer(
    connection: Connection, claims: dict[str, object]
) -> None:
    """Roles that are no array, and a tenant that is no UUID, stop every query."""
    with acting_as(connection, "authenticated", claims), pytest.raises(errors.DataError):
        connection.execute("select count(*) from missions")


def test_claims_that_are_not_json_are_no_claims(connection: Connection) -> None:
    """A malformed token shows nothing instead of failing."""
    connection.execute("set local request.jwt.claims = 'not json'")

    assert one(connection, "select current_claims()") == {}


def test_supabase_functions_read_the_token(connection: Connection) -> None:
    """auth.uid, auth.role and auth.jwt are what the platform's Auth brings."""
    someone = "00000000-0000-4000-8000-000000000001"

    with acting_as(connection, "authenticated", {"sub": someone, "role": "authenticated"}):
        assert one(connection, "select auth.uid()") == UUID(someone)
        assert one(connection, "select auth.role()") == "authenticated"
        assert one(connection, "select auth.jwt() ->> 'sub'") == someone


def test_only_the_owner_refreshes_the_analytics(connection: Connection) -> None:
    """The function runs with the caller's rights, and no one else may refresh."""
    with acting_as(connection, "service_role"), pytest.raises(errors.InsufficientPrivilege):
        connection.execute("select refresh_analytics_views()")


AGED_ROWS: LiteralString = """
create temporary table age on commit drop as
select now() - days * interval '1 day' as at
from unnest('{181,179,91,89,366,364}'::integer[]) as days;

insert into telemetry_events (event_type, created_at) select 'plan_ranked', at from age;

insert into composio_audit_events (occurred_at) select at from age;

insert into workspace_stream_sessions (session_id, disconnected_at) select 'closed', at from age;

insert into workspace_stream_sessions (session_id, connected_at) values ('open', 'epoch');

insert into undo_events (event_type, occurred_at) select 'planned', at from age
"""


def test_cleaning_up_deletes_what_is_past_its_retention(connection: Connection) -> None:
    """180 days for telemetry and audit, 90 for closed streams, 365 for undo."""
    for statement in AGED_ROWS.split(";"):
        connection.execute(statement)
    connection.execute("select cleanup_telemetry_events()")

    assert one(connection, "select count(*) from telemetry_events") == 3
    assert one(connection, "select count(*) from composio_audit_events") == 3
    assert one(connection, "select count(*) from workspace_stream_sessions") == 2
    assert one(connection, "select count(*) from undo_events") == 5


def test_stuck_active_sessions_are_kept_for_ever(connection: Connection) -> None:
    """Only idle and terminated sessions go after 90 days."""
    mission = add_mission(connection, add_tenant(connection, "a"))
    connection.execute(
        "insert into mission_sessions (mission_id, agent_name, status, updated_at) values"
        " (%(id)s, 'executor', 'active', now() - interval '91 days'),"
        " (%(id)s, 'planner', 'idle', now() - interval '91 days'),"
        " (%(id)s, 'inspector', 'terminated', now() - interval '91 days'),"
        " (%(id)s, 'validator', 'terminated', now() - interval '89 days')",
        {"id": mission},
    )
    connection.execute("select cleanup_mission_sessions()")

    found = connection.execute("select agent_name from mission_sessions order by agent_name")
    assert found.fetchall() == [("executor",), ("validator",)]


def vector(*first: float, length: int = 1536) -> str:
    """Return a vector in pgvector's notation: these elements, then zeros."""
    return json.dumps([*first, *[0.0] * (length - len(first))])


@pytest.fixture
def library(connection: Connection) -> None:
    """Three shared entries at cosine similarity 1, 0.6 and 0 to the vector (1, 0, …)."""
    for title, embedding in (
        ("Same", vector(1)),
        ("Near", vector(0.6, 0.8)),
        ("Far", vector(0, 1)),
    ):
        connection.execute(
            "with entry as (insert into library_entries (title) values (%s) returning id)"
            " insert into library_embeddings (entry_id, embedding, updated_at)"
            " select id, %s, now() - interval '30 days' from entry",
            [title, embedding],
        )


@pytest.mark.parametrize(
    ("query", "threshold", "limit", "titles"),
    [
        (vector(1), 0.25, 20, ["Same", "Near"]),
        (vector(1), -1, 20, ["Same", "Near", "Far"]),
        (vector(1), 5, 20, ["Same"]),
        (vector(1), 0.25, 0, ["Same"]),
        (vector(0), 0.25, 20, []),
    ],
)
@pytest.mark.usefixtures("library")
def test_library_search_clamps_its_limits(
    connection: Connection, query: str, threshold: float, limit: int, titles: list[str]
) -> None:
    """The threshold is held within 0 and 1, at least one row is asked for, nearest first."""
    found = connection.execute(
        "select title from search_library_entries(%s, %s, %s)"
        " inner join library_entries on id = entry_id order by score desc",
        [query, threshold, limit],
    ).fetchall()

    assert [title for (title,) in found] == titles


@pytest.mark.usefixtures("library")
def test_library_search_refuses_another_length(connection: Connection) -> None:
    """The argument's length is not enforced, so the comparison fails inside."""
    with pytest.raises(errors.DataException, match="different vector dimensions"):
        connection.execute(
            "select search_library_entries(%s::vector)", [vector(1, length=768)]
        ).fetchall()


@pytest.mark.usefixtures("library")
def test_the_weekly_job_hides_how_old_embeddings_are(connection: Connection) -> None:
    """It stamps them as updated now and computes nothing."""
    connection.execute("select refresh_library_embeddings()")

    assert one(connection, "select bool_and(updated_at = now()) from library_embeddings")


def test_deleting_a_tenant_publishes_its_library(connection: Connection) -> None:
    """Its missions and their telemetry go; its private entries lose their owner."""
    tenant = add_tenant(connection, "a")
    mission = add_mission(connection, tenant)
    connection.execute(
        "insert into telemetry_events (mission_id, event_type) values (%s, 'plan_ranked')",
        [mission],
    )
    connection.execute(
        "insert into library_entries (tenant_id, title) values (%s, 'Private')", [tenant]
    )
    connection.execute("delete from tenants where id = %s", [tenant])

    assert one(connection, "select count(*) from telemetry_events") == 0
    with acting_as(connection, "anon"):
        assert one(connection, "select title from library_entries") == "Private"


def test_readiness_and_durations_come_from_the_stages(connection: Connection) -> None:
    """Readiness falls back from the Prepare stage to the mission, and then to unknown."""
    mission = add_mission(connection, add_tenant(connection, "a"))
    readiness = "select get_mission_readiness(%s)"
    assert one(connection, readiness, UUID(int=0)) == "unknown"
    connection.execute("update missions set readiness = 'degraded'")
    assert one(connection, readiness, mission) == "degraded"
    connection.execute(
        "insert into mission_stage_status"
        " (mission_id, stage, readiness_state, started_at, completed_at)"
        " values (%(id)s, 'Plan', 'ready', now() - interval '90 s', null),"
        " (%(id)s, 'Prepare', 'needs_auth', '2026-01-01 10:00Z', '2026-01-01 10:20Z')",
        {"id": mission},
    )

    assert one(connection, readiness, mission) == "needs_auth"
    found = connection.execute("select * from get_mission_stage_durations(%s)", [mission])
    assert found.fetchall() == [("Prepare", 1200), ("Plan", 90)]
