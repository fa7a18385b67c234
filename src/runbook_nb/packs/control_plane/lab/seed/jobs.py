"""The past runs of the scheduled jobs, all of which succeeded."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import psycopg
from cronsim import CronSim

from runbook_nb.packs.control_plane.lab.seed.randomness import Chance

_HISTORY = timedelta(weeks=4)

# An hourly job would fill the list; two days of it are enough to see a missed hour.
_HOURLY_HISTORY = timedelta(hours=48)

_COPY = """
COPY cron.job_run_details
    (jobid, runid, job_pid, database, username, command, status, return_message,
     start_time, end_time)
FROM STDIN
"""


def write_job_runs(connection: psycopg.Connection, chance: Chance, *, now: datetime) -> None:
    """Write a succeeded run for every time at which a job was due, in order of time."""
    jobs = connection.execute(
        "SELECT jobid, schedule, database, username, command FROM cron.job ORDER BY jobid"
    ).fetchall()
    due = sorted((at, job) for job in jobs for at in _due(job[1], now=now))
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for run_id, (at, (job_id, _, database, username, command)) in enumerate(due, start=1):
            # A run that was due this second has not ended in the future.
            started_at = min(at + chance.seconds(0.02, 0.2), now)
            ended_at = min(started_at + chance.seconds(0.05, 2), now)
            copy.write_row(
                (
                    *(job_id, run_id, chance.random.randint(2000, 30000)),
                    *(database, username, command, "succeeded", "1 row"),
                    *(started_at, ended_at),
                )
            )
    connection.execute("SELECT setval('cron.runid_seq', %s)", (max(len(due), 1),))


def _due(schedule: str, *, now: datetime) -> Iterator[datetime]:
    hourly = schedule.split()[1] == "*"
    start = now - (_HOURLY_HISTORY if hourly else _HISTORY)
    for at in CronSim(schedule, start):
        if at > now:
            return
        yield at
