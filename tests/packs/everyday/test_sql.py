"""SQL on a real PostgreSQL and on SQLite: answers with units, and no write by any way."""

import sqlite3

import psycopg
import pytest

from runbook_nb.errors import NoAnswerError, SettingMissingError, WriteRefusedError
from runbook_nb.packs.everyday.systems import sql
from runbook_nb.probes.environment import Environment

TABLE = "create table trial_orders (id integer primary key, state text, took_s real)"
ROWS = "insert into trial_orders values (1, 'done', 0.5), (2, 'late', 9.5), (3, 'late 5%', null)"
COUNT = "select count(*) from trial_orders"


@pytest.fixture(scope="module")
def owner(lab):
    """The lab's settings of its database; the owner may do everything."""
    place = Environment.load("lab")
    with psycopg.connect(place.dsn("database", "owner"), autocommit=True) as connection:
        connection.execute(TABLE)
        connection.execute(ROWS)
        connection.execute("grant select on trial_orders to runbook_reader")
        yield {role: place.setting("database", role) for role in ("reader", "owner")}
        connection.execute("drop table trial_orders")


@pytest.fixture
def postgres(owner, staging):
    return staging(orders={"reader": owner["reader"]})


@pytest.fixture
def all_powerful(owner, staging):
    """What reads logs in as the superuser: nothing but our own care stands before a write."""
    return staging(orders={"reader": owner["owner"]})


@pytest.fixture
def sqlite(tmp_path, staging):
    path = tmp_path / "orders.db"
    with sqlite3.connect(path) as made:
        made.execute(TABLE)
        made.execute(ROWS)
    made.close()
    return staging(orders={"reader": f"sqlite:///{path}"})


@pytest.fixture(params=["postgres", "sqlite"])
def orders(request):
    """The same table in both."""
    return request.getfixturevalue(request.param)


def test_a_value_of_a_named_database(orders):
    """With the question as it was asked, and where it went."""
    probe = sql.value("select max(took_s) from trial_orders", unit="s", database="orders")

    assert probe.unit == "s"
    assert str(probe).startswith("sql.value(query='select max(took_s)")
    assert orders.value(probe) == 9.5
    assert "select max(took_s) from trial_orders" in orders.asked[0]
    assert orders.source == "staging orders"


def test_rows_are_counted_and_the_first_ones_shown(orders):
    """Both of the same moment."""
    query = "select id from trial_orders where state like 'late%' order by id"

    reading = orders.read(sql.count(query, sample=1, database="orders"))

    assert reading.value == 2
    assert reading.detail == [{"id": 2}]
    assert orders.value(sql.count(f"{query} -- all of them", database="orders")) == 2
    assert orders.value(sql.count("select 1 where 1 = 2", database="orders")) == 0


def test_rows_are_an_answer_too(orders):
    """For a limit such as empty()."""
    query = "select id, state from trial_orders where id < 2;"

    assert orders.value(sql.rows(query, database="orders")) == [{"id": 1, "state": "done"}]


def test_parameters_are_bound_and_percent_signs_stand_as_they_are(orders):
    """On PostgreSQL and SQLite alike."""
    query = "select count(*) from trial_orders where state = %(state)s and state like '%5%'"
    asked = sql.value(query, parameters={"state": "late 5%"}, database="orders")

    assert orders.value(asked) == 1
    assert "-- with state = 'late 5%'" in orders.asked[0]
    hostile = {"state": "x'; drop table trial_orders; --"}
    assert orders.value(sql.value(query, parameters=hostile, database="orders")) == 0
    assert orders.value(sql.value(COUNT, database="orders")) == 3


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select id from trial_orders where id = 9", "no row"),
        ("select id from trial_orders", "several rows"),
        ("select id, state from trial_orders where id = 1", "columns id, state"),
        ("select max(took_s) from trial_orders where id = 3", "NULL"),
    ],
)
def test_what_is_not_one_value_is_unknown(orders, query, reason):
    """An aggregate of no rows is no zero."""
    with pytest.raises(NoAnswerError, match=reason):
        orders.read(sql.value(query, database="orders"))


def test_values_come_as_json(postgres):
    """Intervals in seconds, times in ISO 8601, whole numbers whole."""
    for query, value in {
        "select interval '1 minute 30 seconds'": 90.0,
        "select sum(id) from trial_orders": 6,
        "select 0.25::numeric": 0.25,
        "select timestamptz '2026-01-02 03:04:05+00' at time zone 'utc'": "2026-01-02T03:04:05",
        "select true": True,
        "select array[1, 2]": [1, 2],
        "select '{\"a\": 1}'::jsonb": {"a": 1},
    }.items():
        assert postgres.value(sql.value(query, database="orders")) == value
    with pytest.raises(NoAnswerError, match="no number"):
        postgres.read(sql.value("select 'NaN'::float8", database="orders"))


WRITES = (
    "delete from trial_orders",
    "with gone as (delete from trial_orders returning id) select count(*) from gone",
    "select 1) as question; delete from trial_orders; select * from (select 1",
    "select 1; commit; delete from trial_orders",
    "insert into trial_orders values (7, 'x', 1) returning id",
    "drop table trial_orders",
    "vacuum",
    "/* select */ update trial_orders set state = 'x' returning id",
)
ON_POSTGRES = (
    "select id into trial_copy from trial_orders",
    "select id from trial_orders for update",
    "explain analyze delete from trial_orders",
    "copy trial_orders to program 'true'",
    "do $$ begin delete from trial_orders; end $$",
    "select pg_terminate_backend(1)",
    "select PG_Reload_Conf ()",
    'select "pg_switch_wal"()',
    "select pg_notify('a', 'b')",
    "select pg_advisory_lock(1)",
    "select lo_create(0)",
    "select set_config('transaction_read_only', 'off', true)",
    "begin read write",
    "set transaction read write",
)
ON_SQLITE = (
    "pragma query_only = off",
    "attach 'other.db' as other",
    "vacuum into 'other.db'",
    "select load_extension('x')",
    "select * from pragma_journal_mode('memory')",
)


@pytest.mark.parametrize("query", [*WRITES, *ON_POSTGRES])
def test_no_question_writes_on_postgresql_whatever_its_role_may(all_powerful, query):
    """Refused here or by the server; the rows are what they were."""
    refusals = (WriteRefusedError, psycopg.Error)

    for probe in (sql.value, sql.count, sql.rows):
        with pytest.raises(refusals):
            all_powerful.read(probe(query, database="orders"))
    assert all_powerful.value(sql.value(COUNT, database="orders")) == 3
    exists = "select to_regclass('trial_copy') is not null"
    assert all_powerful.value(sql.value(exists, database="orders")) is False


@pytest.mark.parametrize("query", [*WRITES, *ON_SQLITE])
def test_no_question_writes_on_sqlite(sqlite, query):
    """Refused here or by SQLite itself."""
    for probe in (sql.value, sql.count, sql.rows):
        with pytest.raises((WriteRefusedError, sqlite3.Error)):
            sqlite.read(probe(query, database="orders"))
    assert sqlite.value(sql.value(COUNT, database="orders")) == 3


@pytest.mark.parametrize(
    "query",
    [
        "delete from trial_orders",
        "with gone as (delete from trial_orders returning id) select count(*) from gone",
        "commit; begin read write; delete from trial_orders; commit",
        "set transaction read write",
        "select set_config('transaction_read_only', 'off', false)",
    ],
)
def test_a_reading_connection_refuses_a_write_without_any_rule_on_its_text(all_powerful, query):
    """The probes of other systems write their own SQL."""
    systems = all_powerful.environment.reading([])
    database = systems.database("orders")

    with pytest.raises((WriteRefusedError, psycopg.Error)):
        database.rows(query)
    systems.close()
    assert all_powerful.value(sql.value(COUNT, database="orders")) == 3


def test_a_transaction_once_read_only_stays_so(all_powerful):
    """Its snapshot is taken before the first question."""
    systems = all_powerful.environment.reading([])
    database = systems.database("orders")

    deleting = "with gone as (delete from trial_orders returning 1) select * from gone"
    for attempt in (
        "set transaction read write",
        "commit",
        "set session characteristics as transaction read write",
        "notify orders",
        "/* select */ listen orders",
        "lock table trial_orders",
    ):
        with pytest.raises(WriteRefusedError, match="a probe asks by SELECT"):
            database.rows(attempt)
        with pytest.raises(WriteRefusedError), database.transaction():
            database.rows(deleting)
    systems.close()


def test_a_database_that_is_not_there_is_named(staging):
    """With the place where it goes."""
    with pytest.raises(SettingMissingError, match=r"'reader' of 'orders'.*environments\.staging"):
        staging().read(sql.value("select 1", database="orders"))


def test_a_slow_question_ends_at_the_limit(sqlite):
    """Also within SQLite, which has no limit of its own."""
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    probe = sql.value(endless, database="orders")
    quick = type(probe)(**{**vars(probe), "timeout_s": 0.3})

    with pytest.raises(TimeoutError, match="No answer within"):
        sqlite.read(quick)
