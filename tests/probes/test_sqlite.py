"""SQLite files as databases: the interface of PostgreSQL's, and reading enforced."""

import sqlite3

import pytest

from runbook_nb.errors import NoAnswerError, WriteRefusedError
from runbook_nb.probes.environment import Environment

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"


@pytest.fixture(params=["delete", "wal"])
def queue(tmp_path, request):
    path = tmp_path / "a queue?.db"
    with sqlite3.connect(path) as made:
        made.execute(f"pragma journal_mode = {request.param}")
        made.execute("create table jobs (id integer primary key, state text)")
        made.execute("create index by_state on jobs (state)")
        made.executemany("insert into jobs (state) values (?)", [("done",), ("late",), ("late",)])
    made.close()
    return path


@pytest.fixture
def environment(queue):
    dsn = f"sqlite:///{queue}"
    return Environment("staging", {"kind": "staging", "queue": {"reader": dsn, "writer": dsn}})


def jobs(environment):
    return environment.reading([]).database("queue").value("select count(*) from jobs")


def test_a_system_with_a_reader_is_a_database_by_its_name(environment):
    """A path to a file is no secret, so it may stand in plain sight."""
    asked = []
    systems = environment.reading(asked)

    late = systems.database("queue").rows(
        "select id from jobs where state = %(state)s and state like 'l%%'", state="late"
    )

    assert late == [{"id": 2}, {"id": 3}]
    assert asked[0].endswith("-- with state = 'late'")
    assert systems.source == "staging queue"


@pytest.mark.parametrize(
    "sql",
    [
        "delete from jobs",
        "insert into jobs (state) values ('x') returning id",
        "update jobs set state = 'done'",
        "drop table jobs",
        "create temp table x as select 1",
        "pragma query_only = off",
        "pragma user_version = 7",
        "pragma journal_mode = memory",
        "attach '{made}' as other",
        "vacuum",
        "vacuum into '{made}'",
        "select load_extension('x')",
        "reindex",
        "analyze",
        "begin immediate",
        "with x as (select 1) delete from jobs",
    ],
)
def test_a_probe_cannot_write(environment, tmp_path, sql):
    """Neither into the file nor into another one."""
    made = tmp_path / "made.db"
    before = jobs(environment)

    with pytest.raises(WriteRefusedError, match="refused a write by a probe"):
        environment.reading([]).database("queue").rows(sql.format(made=made))

    assert jobs(environment) == before == 3
    assert not made.exists()


def test_two_statements_are_not_one_question(environment):
    """The second one would go unseen."""
    with pytest.raises(sqlite3.Error, match="one statement"):
        environment.reading([]).database("queue").rows("select 1; delete from jobs")
    assert jobs(environment) == 3


def test_an_endless_question_ends_at_the_limit(environment):
    """SQLite itself has no limit, so its clock is ours."""
    database = environment.reading([]).database("queue")
    database._timeout_s = 0.2

    with pytest.raises(TimeoutError, match=r"No answer within 0\.2 s"):
        database.rows(ENDLESS)


def test_an_action_writes_and_its_rehearsal_leaves_nothing(environment):
    """Transactions nest, as PostgreSQL's do."""
    database = environment.writing([]).database("queue")

    with database.transaction(rollback=True):
        database.rows("delete from jobs")
        with database.transaction():
            database.rows("insert into jobs (state) values ('new')")
        assert database.value("select count(*) from jobs") == 1
    assert jobs(environment) == 3

    with database.transaction():
        database.rows("delete from jobs where id = %(id)s", id=1)
    assert jobs(environment) == 2


def test_a_transaction_that_fails_is_taken_back(environment):
    """Whole or not at all."""
    database = environment.writing([]).database("queue")

    with pytest.raises(sqlite3.OperationalError, match="no such table"), database.transaction():
        database.rows("delete from jobs where id = (select 1 from absent)")
    assert jobs(environment) == 3


def test_a_file_that_is_not_there_is_named_and_not_made(tmp_path):
    """An empty new database would answer every question with nothing."""
    path = tmp_path / "absent.db"
    environment = Environment("staging", {"queue": {"reader": f"sqlite:///{path}"}})

    with pytest.raises(NoAnswerError, match=r"absent\.db cannot be opened"):
        environment.reading([]).database("queue").value("select 1")
    assert not path.exists()
