"""The worker that runs the database's scheduled jobs, as the pg_cron extension does."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from cronsim import CronSim, CronSimError
from psycopg import sql
from psycopg.rows import class_row

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 1.0
_STOP_WITHIN_S = 5.0
_CANCEL_EVERY_S = 0.1

_ACTIVE_JOBS = """
    select jobid, schedule, command, database, username
    from cron.job
    where active
    order by jobid
"""
_RUN_BEGINS = """
    insert into cron.job_run_details (jobid, database, username, command, status)
    values (%(jobid)s, %(database)s, %(username)s, %(command)s, 'starting')
    returning runid
"""
_RUN_STARTED = """
    update cron.job_run_details
    set status = 'running', job_pid = %(pid)s, start_time = %(at)s
    where runid = %(runid)s
"""
_RUN_ENDED = """
    update cron.job_run_details
    set status = %(status)s, return_message = %(message)s, end_time = %(at)s
    where runid = %(runid)s
"""
_RUNS_LOST = """
    update cron.job_run_details
    set status = 'failed', return_message = 'server restarted'
    where status in ('starting', 'running')
"""


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of cron.job that is active."""

    jobid: int
    schedule: str
    command: str
    database: str
    username: str

    def due(self, *, since: datetime, now: datetime) -> bool:
        """Tell whether the schedule (UTC) has a moment after ``since``, up to ``now``."""
        words = self.schedule.split()
        if len(words) == len(("59", "seconds")):
            return now - since >= timedelta(seconds=int(words[0]))
        # pg_cron writes the last day of the month as $, cronsim as L.
        return next(CronSim(self.schedule.replace("$", "L"), since)) <= now


class CronWorker:
    """Runs the jobs of cron.job when they are due and writes cron.job_run_details.

    ``dsn`` is a superuser's, as each job runs as its own user. A job that still runs when it is
    due again runs once more when it has ended. ``clock`` returns the time now in UTC.
    """

    def __init__(self, dsn: str, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._dsn = dsn
        self._clock = clock
        self._began = clock()
        self._looked: dict[int, datetime] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pg_cron", daemon=True)
        self._sessions: dict[int, psycopg.Connection] = {}
        self._runs: dict[int, threading.Thread] = {}
        self._book: psycopg.Connection | None = None

    def start(self) -> None:
        """Begin to look for due jobs once a second, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking, cancel the jobs that run, and wait until they have ended."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_WITHIN_S)
        self._cancel()
        self.finish()
        if self._book is not None:
            self._book.close()

    def finish(self) -> None:
        """Wait until the jobs that run have ended."""
        for run in list(self._runs.values()):
            run.join(_STOP_WITHIN_S)

    def _cancel(self) -> None:
        """Cancel the runs until they have ended, or time is up.

        A cancel that arrives just before the job's command cancels nothing, so one is not enough.
        """
        until = time.monotonic() + _STOP_WITHIN_S
        while time.monotonic() < until and any(run.is_alive() for run in self._runs.values()):
            for session in list(self._sessions.values()):
                # A run that ends by itself at this moment has nothing left to cancel.
                with suppress(psycopg.Error):
                    session.cancel_safe(timeout=_STOP_WITHIN_S)
            for run in list(self._runs.values()):
                run.join(_CANCEL_EVERY_S)

    def run_due(self) -> list[int]:
        """Begin each job that became due since the last look; return their job ids."""
        now = self._clock()
        book = self._open_book()
        with book.cursor(row_factory=class_row(Job)) as cursor:
            jobs = cursor.execute(_ACTIVE_JOBS).fetchall()
        due = [job for job in jobs if self._is_due(job, now=now)]
        for job in due:
            run = threading.Thread(target=self._run, args=(book, job), daemon=True)
            self._runs[job.jobid] = run
            run.start()
        return [job.jobid for job in due]

    def _watch(self) -> None:
        """Look again and again; a database that is away for a while is no reason to end."""
        while not self._stopped.wait(_LOOK_EVERY_S):
            try:
                self.run_due()
            except psycopg.Error as error:
                _log.warning("Scheduled jobs wait for the database: %s", error)

    def _open_book(self) -> psycopg.Connection:
        """Return the session that reads jobs and writes runs, opened again if it broke."""
        if self._book is None or self._book.closed:
            self._book = psycopg.connect(
                self._dsn, autocommit=True, application_name="pg_cron scheduler"
            )
            self._book.execute(_RUNS_LOST)
        return self._book

    def _is_due(self, job: Job, *, now: datetime) -> bool:
        """Decide, and remember up to when the job's schedule has been looked at."""
        run = self._runs.get(job.jobid)
        if run is not None and run.is_alive():
            return False
        since = self._looked.setdefault(job.jobid, self._began)
        try:
            due = job.due(since=since, now=now)
        except (CronSimError, ValueError):
            _log.warning("Job %s has a schedule that is none: %r", job.jobid, job.schedule)
            return False
        if due:
            self._looked[job.jobid] = now
        return due

    def _run(self, book: psycopg.Connection, job: Job) -> None:
        """Run one job to its end and write how it ended."""
        try:
            row = book.execute(
                _RUN_BEGINS,
                {
                    "jobid": job.jobid,
                    "database": job.database,
                    "username": job.username,
                    "command": job.command,
                },
            ).fetchone()
            runid = row[0] if row else 0
            try:
                status, message = "succeeded", self._execute(book, job, runid=runid)
            except psycopg.Error as error:
                status, message = "failed", _complaint(error)
            book.execute(
                _RUN_ENDED,
                {"runid": runid, "status": status, "message": message, "at": self._clock()},
            )
        except psycopg.Error as error:
            _log.warning("The run of job %s could not be written: %s", job.jobid, error)

    def _execute(self, book: psycopg.Connection, job: Job, *, runid: int) -> str:
        """Run the command in a session and transaction of its own; return what it answered."""
        with psycopg.connect(
            self._dsn, dbname=job.database, autocommit=True, application_name="pg_cron"
        ) as session:
            self._sessions[job.jobid] = session
            try:
                pid = session.info.backend_pid
                book.execute(_RUN_STARTED, {"runid": runid, "pid": pid, "at": self._clock()})
                user = sql.Identifier(job.username)
                session.execute(sql.SQL("set session authorization {}").format(user))
                # Sent as one simple query, so that several statements are one transaction.
                return _answer(session.execute(job.command.encode()))
            finally:
                del self._sessions[job.jobid]


def _complaint(error: psycopg.Error) -> str:
    """Say why a run failed, in pg_cron's words; without a severity no server has answered."""
    severity = error.diag.severity
    return f"{severity}:  {error}\n" if severity else "connection failed"


def _answer(cursor: psycopg.Cursor[Any]) -> str:
    """Say what the last statement did, in pg_cron's words: `1 row`, or a tag as `DELETE 5`."""
    while cursor.nextset():
        pass
    if cursor.description is None:
        return cursor.statusmessage or ""
    return f"{cursor.rowcount} row" if cursor.rowcount == 1 else f"{cursor.rowcount} rows"
