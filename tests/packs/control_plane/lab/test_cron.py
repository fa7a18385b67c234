"""Scheduled jobs run when they are due, as their user, and their runs are written down."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from runbook_nb.packs.control_plane.lab.cron import CronWorker
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.timeline.store.embedded.processes import wait_until

pytestmark = pytest.mark.lab

JUST_BEFORE_TWO = datetime(2026, 3, 2, 1, 59, 30, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = JUST_BEFORE_TWO

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def advance(self, **time: float) -> None:
        """Move the hands."""
        self.now += timedelta(**time)


@pytest.fixture(scope="module")
def server() -> Iterator[LabPostgres]:
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    folder.chmod(0o711)
    started = LabPostgres(folder)
    started.start()
    with psycopg.connect(started.dsn()) as connection:
        connection.execute("create extension pg_cron")
        connection.execute("create role clerk login")
        connection.execute("create table noted (note text default current_user)")
        connection.execute("grant all on noted to clerk")
    yield started
    started.stop()
    shutil.rmtree(folder)


@pytest.fixture
def database(server: LabPostgres) -> Iterator[psycopg.Connection]:
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True, row_factory=dict_row) as connection:
        connection.execute("truncate cron.job, cron.job_run_details, noted")
        yield connection


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(server: LabPostgres, clock: Clock) -> Iterator[CronWorker]:
    made = CronWorker(server.dsn(), clock=clock)
    yield made
    made.stop()


def schedule(database: psycopg.Connection, when: str, command: str) -> int:
    row = database.execute("select cron.schedule(%s, %s) as jobid", (when, command)).fetchone()
    return row["jobid"]


def run_due(worker: CronWorker) -> list[int]:
    due = worker.run_due()
    worker.finish()
    return due


def runs(database: psycopg.Connection) -> list[dict]:
    return database.execute("select * from cron.job_run_details order by runid").fetchall()


def test_a_due_job_runs_and_its_run_is_written(database, worker, clock):
    """Every column says what pg_cron would say."""
    jobid = schedule(database, "0 2 * * *", "select 1")
    clock.advance(seconds=31)

    run_due(worker)

    run = runs(database)[0]
    assert run.pop("runid") > 0
    assert run.pop("job_pid") not in {None, os.getpid()}
    assert run == {
        "jobid": jobid,
        "database": "postgres",
        "username": "postgres",
        "command": "select 1",
        "status": "succeeded",
        "return_message": "1 row",
        "start_time": clock.now,
        "end_time": clock.now,
    }


def test_a_job_that_is_not_due_does_not_run(database, worker, clock):
    """02:00 has not come yet."""
    schedule(database, "0 2 * * *", "select 1")
    clock.advance(seconds=29)

    assert run_due(worker) == []


def test_a_job_runs_once_a_minute_of_its_schedule(database, worker, clock):
    """The worker looks each second."""
    jobid = schedule(database, "0 2 * * *", "select 1")
    clock.advance(seconds=31)
    first = run_due(worker)
    clock.advance(seconds=1)

    assert [first, run_due(worker)] == [[jobid], []]


def test_a_failing_job_is_written_with_its_error(database, worker, clock):
    """The message is what a responder searches for."""
    schedule(database, "* * * * *", "select * from missing_table")
    clock.advance(minutes=1)

    run_due(worker)

    run = runs(database)[0]
    assert run["status"] == "failed"
    assert run["return_message"].startswith('ERROR:  relation "missing_table" does not exist')
    assert run["end_time"] == clock.now


def test_a_job_that_returns_no_rows_is_written_with_its_tag(database, worker, clock):
    """How many rows a clean-up deleted is the proof that it works."""
    database.execute("insert into noted values ('old'), ('older')")
    schedule(database, "* * * * *", "delete from noted")
    clock.advance(minutes=1)

    run_due(worker)

    assert runs(database)[0]["return_message"] == "DELETE 2"


def test_an_inactive_job_does_not_run(database, worker, clock):
    """Switching a job off is how it is paused."""
    jobid = schedule(database, "* * * * *", "select 1")
    database.execute("select cron.alter_job(%s, active => false)", (jobid,))
    clock.advance(minutes=1)

    assert run_due(worker) == []


def test_a_job_runs_as_its_user(database, worker, clock):
    """Its rights are its own, not the worker's."""
    jobid = schedule(database, "* * * * *", "insert into noted default values")
    database.execute("select cron.alter_job(%s, username => 'clerk')", (jobid,))
    clock.advance(minutes=1)

    run_due(worker)

    assert database.execute("select note from noted").fetchall() == [{"note": "clerk"}]


def test_the_statements_of_a_job_are_one_transaction(database, worker, clock):
    """A job that fails has done nothing."""
    schedule(database, "* * * * *", "insert into noted values ('half'); select 1/0")
    clock.advance(minutes=1)

    run_due(worker)

    assert runs(database)[0]["return_message"].startswith("ERROR:  division by zero")
    assert database.execute("select note from noted").fetchall() == []


def test_a_schedule_in_seconds_counts_from_the_last_run(database, worker, clock):
    """pg_cron knows `30 seconds` beside the five fields."""
    jobid = schedule(database, "30 seconds", "select 1")
    clock.advance(seconds=30)
    first = run_due(worker)
    clock.advance(seconds=29)
    early = run_due(worker)
    clock.advance(seconds=1)

    assert [first, early, run_due(worker)] == [[jobid], [], [jobid]]


def test_the_last_day_of_the_month_is_a_dollar_sign(database, worker, clock):
    """That is how pg_cron writes it."""
    jobid = schedule(database, "0 2 $ * *", "select 1")
    clock.advance(hours=1)
    on_the_second = run_due(worker)
    clock.now = datetime(2026, 3, 31, 2, 0, tzinfo=UTC)

    assert [on_the_second, run_due(worker)] == [[], [jobid]]


def test_a_broken_schedule_does_not_keep_other_jobs_from_running(database, worker, clock):
    """A row changed by hand may hold anything."""
    broken = schedule(database, "* * * * *", "select 1")
    sound = schedule(database, "* * * * *", "select 1")
    database.execute("update cron.job set schedule = 'now and then' where jobid = %s", (broken,))
    clock.advance(minutes=1)

    assert run_due(worker) == [sound]


def test_a_job_that_still_runs_is_started_again_only_when_it_has_ended(database, worker, clock):
    """Two runs of one job never overlap."""
    jobid = schedule(database, "* * * * *", "select pg_advisory_xact_lock(7)")
    database.execute("select pg_advisory_lock(7)")
    clock.advance(minutes=1)
    worker.run_due()
    clock.advance(minutes=1)
    while_running = worker.run_due()
    database.execute("select pg_advisory_unlock(7)")
    worker.finish()

    assert [while_running, run_due(worker)] == [[], [jobid]]


def test_a_long_job_does_not_keep_other_jobs_from_running(database, worker, clock):
    """Each run has a session of its own."""
    schedule(database, "* * * * *", "select pg_advisory_xact_lock(7)")
    quick = schedule(database, "* * * * *", "select 1")
    database.execute("select pg_advisory_lock(7)")
    clock.advance(minutes=1)
    worker.run_due()

    assert wait_until(lambda: _status(database, quick) == "succeeded", within_s=10)
    database.execute("select pg_advisory_unlock(7)")


def test_runs_cut_off_by_a_crash_are_failed_when_the_worker_looks_again(database, worker):
    """Nothing runs for ever in the books."""
    database.execute("insert into cron.job_run_details (jobid, status) values (1, 'running')")

    worker.run_due()

    assert runs(database)[0]["return_message"] == "server restarted"


def test_a_job_that_cannot_connect_is_failed(database, worker, clock):
    """The database of the job may be gone."""
    jobid = schedule(database, "* * * * *", "select 1")
    database.execute("select cron.alter_job(%s, database => 'gone')", (jobid,))
    clock.advance(minutes=1)

    run_due(worker)

    assert runs(database)[0]["status"] == "failed"
    assert runs(database)[0]["return_message"] == "connection failed"


def test_the_worker_goes_on_after_the_database_was_away(server, database, worker, clock):
    """One look fails, the next one connects again."""
    jobid = schedule(database, "* * * * *", "select 1")
    worker.run_due()
    server.stop()
    server.start()
    clock.advance(minutes=1)
    with pytest.raises(psycopg.OperationalError):
        worker.run_due()

    assert run_due(worker) == [jobid]
    database.close()


def test_a_started_worker_looks_by_itself_and_stop_cancels_what_runs(database, worker, clock):
    """Services start it and stop it, and need to do no more."""
    jobid = schedule(database, "* * * * *", "select pg_sleep(60)")
    clock.advance(minutes=1)

    worker.start()
    assert wait_until(lambda: _status(database, jobid) == "running", within_s=10)
    worker.stop()

    assert _status(database, jobid) == "failed"
    assert "canceling statement" in runs(database)[0]["return_message"]


def _status(database: psycopg.Connection, jobid: int) -> str | None:
    row = database.execute(
        "select status from cron.job_run_details where jobid = %s", (jobid,)
    ).fetchone()
    return row and row["status"]
