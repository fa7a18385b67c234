"""Kill -9 at every step: the timeline stays valid and a second run goes on."""

import os
import re
import shutil
import signal
import time
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import psycopg
import pytest
import trial

from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.record.close import close
from runbook_nb.record.facts import Record
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Acting
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.writer import WritableTimeline

# opened, approved, started, two checks, decided, the reason read again, acting, sending, acted, two
# verified
STEPS = range(2, 12)
ARGUMENTS = ("run", "dead_sessions", "--incident", "INC-1", "--approve", "A")


# Each transaction that ends a session is an effect, seen by the database itself.
COUNTING = """
create schema counting;
create table counting.effects (transaction xid8 primary key);
create function counting.count() returns trigger language plpgsql security definer as $$
begin
    insert into counting.effects values (pg_current_xact_id()) on conflict do nothing;
    return new;
end $$;
create trigger counting after update on public.mission_sessions for each row
when (old.status = 'active' and new.status = 'terminated') execute function counting.count();
"""
STOP_COUNTING = """
drop trigger if exists counting on public.mission_sessions;
drop schema if exists counting cascade;
"""


@pytest.fixture
def effects(lab):
    """Count in the system how often the action took effect; returns the count and forgets it."""

    def run(sql: str) -> list[tuple[int]]:
        with psycopg.connect(Lab(lab.folder).dsn(), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    run(STOP_COUNTING + COUNTING)
    yield lambda: len(run("delete from counting.effects returning 1"))
    run(STOP_COUNTING)


def told_as_done(events: list[dict[str, object]]) -> set[object]:
    """Return the attempts that the timeline says took effect: acted or settled."""
    said = [event for event in events if event["kind"] in ("acted", "settled")]
    return {event["attempt"] for event in said if event["outcome"] == "done"}


def kernel_of(incidents: Path) -> int | None:
    """Find the kernel of a run by the folder of incidents in its environment."""
    wanted = f"RUNBOOK_INCIDENTS={incidents}".encode()
    for entry in Path("/proc").iterdir():
        try:
            if (
                entry.name.isdigit()
                and b"ipykernel" in (entry / "cmdline").read_bytes()
                and wanted in (entry / "environ").read_bytes().split(b"\0")
            ):
                return int(entry.name)
        except OSError:
            continue
    return None


def killed_at(runbook, lab, victim: str, step: int) -> None:
    """Start a run and kill the victim as soon as the timeline has so many events."""
    process = runbook.start(*ARGUMENTS)
    ends = time.monotonic() + 60
    while len(runbook.events("INC-1")) < step and process.poll() is None:
        assert time.monotonic() < ends
        time.sleep(0.002)
    if victim == "kernel":
        while (kernel := kernel_of(runbook.incidents)) is None and process.poll() is None:
            assert time.monotonic() < ends
        if kernel:
            os.kill(kernel, signal.SIGKILL)
    elif victim == "runner" and process.poll() is None:
        process.kill()
    elif victim == "postgres":
        os.kill(LabPostgres(lab.folder).pid, signal.SIGKILL)
    process.communicate(timeout=60)
    if victim == "postgres":
        LabPostgres(lab.folder).start()
        archive_again(lab)


def archive_again(lab) -> None:
    """Let the archiver write a segment: a crash resets what the server knows of it."""
    with psycopg.connect(Lab(lab.folder).dsn(), autocommit=True) as connection:
        connection.execute("select pg_logical_emit_message(true, 'test', 'after a crash')")
        connection.execute("select pg_switch_wal()")


@pytest.fixture
def healed(lab):
    """Heal the fault afterwards, whatever was found."""
    yield
    FAULTS["sessions_silent"].heal(lab)


@pytest.mark.forms(parts=3)
@pytest.mark.usefixtures("healed")
@pytest.mark.parametrize(
    "kill", list(product(("kernel", "runner", "postgres"), STEPS)), ids="{0[0]}-{0[1]}".format
)
def test_after_a_kill_at_any_step_the_record_is_valid_and_a_second_run_continues(
    runbook, lab, with_notebooks, effects, kill
):
    """The effect is in the system once, and the timeline says so; what was cut off is settled."""
    victim, step = kill
    with_notebooks("dead_sessions", trial.dead_sessions())
    FAULTS["sessions_silent"].inject(lab)
    effects()

    killed_at(runbook, lab, victim, step)
    folder = runbook.incidents / "INC-1"
    assert Timeline(folder / "timeline.jsonl").verify()
    _close_a_copy(folder, runbook.folder / "copy", victim)

    time.sleep(0.1 if victim == "runner" else 0)
    out = runbook(*ARGUMENTS)
    assert len(told_as_done(runbook.events("INC-1"))) == 1, out
    assert effects() == 1, out
    assert Timeline(folder / "timeline.jsonl").verify()


def _close_a_copy(folder: Path, copies: Path, victim: str) -> None:
    """Close the incident as it was left; the record says where it stopped."""
    shutil.copytree(folder, copies / "INC-1")
    page = close(copies, "INC-1", by="sam").page.read_text(encoding="utf-8")
    record = Record.of(Timeline(copies / "INC-1" / "timeline.jsonl"))
    assert record.integrity.valid
    if victim != "postgres" and not all(run.complete for run in record.runs):
        assert record.stopped_at
        assert re.search("stopped|cut off|did not end", page, re.IGNORECASE)


@pytest.mark.slow
def test_no_kernel_is_left_when_the_runner_is_killed(runbook, lab, with_notebooks):
    """It notices within seconds that its runner is gone."""
    with_notebooks("dead_sessions", trial.dead_sessions())
    killed_at(runbook, lab, "runner", 4)

    ends = time.monotonic() + 10
    while kernel_of(runbook.incidents) and time.monotonic() < ends:
        time.sleep(0.05)
    assert kernel_of(runbook.incidents) is None


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_and_leaves_a_valid_record(runbook, with_notebooks, sent):
    """The partial notebook is readable, and the command says that it was interrupted."""
    with_notebooks("dead_sessions", trial.dead_sessions())
    process = runbook.start(*ARGUMENTS)
    while len(runbook.events("INC-1")) < 4:
        time.sleep(0.002)
    process.send_signal(sent)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 3, out + err
    assert kernel_of(runbook.incidents) is None
    assert Timeline(runbook.incidents / "INC-1" / "timeline.jsonl").verify()
    assert runbook.events("INC-1")[-1]["kind"] == "ended"
    assert runbook.events("INC-1")[-1]["complete"] is False
    assert "INC-1 is closed" in runbook("close", "INC-1")


@pytest.mark.slow
@pytest.mark.usefixtures("healed")
def test_two_runs_at_once_do_not_act_twice(runbook, lab, with_notebooks, effects):
    """They take turns on one incident."""
    with_notebooks("dead_sessions", trial.dead_sessions())
    FAULTS["sessions_silent"].inject(lab)
    both = [runbook.start(*ARGUMENTS), runbook.start(*ARGUMENTS)]
    outs = ["".join(process.communicate(timeout=60)) for process in both]

    assert len(told_as_done(runbook.events("INC-1"))) == 1, outs
    assert effects() == 1, outs
    assert Timeline(runbook.incidents / "INC-1" / "timeline.jsonl").verify()


@pytest.mark.slow
def test_what_may_be_half_done_ends_a_run_as_unknown_until_somebody_settles_it(
    runbook, with_notebooks
):
    """Exit code 3 and the next command; after it the checks speak again."""
    with_notebooks("dead_sessions", trial.dead_sessions())
    runbook("run", "dead_sessions", "--incident", "INC-1")
    path = runbook.incidents / "INC-1" / "timeline.jsonl"
    words = dict.fromkeys(("because", "risk", "undo"), "")
    WritableTimeline(path, redactor=Redactor()).append(
        Acting(
            at=datetime.now(UTC),
            title="End",
            call="by hand",
            option="Option A: End them",
            attempt="lost.1",
            **words,
        )
    )

    out = runbook("run", "dead_sessions", "--incident", "INC-1", expect=3)
    assert "runbook settle INC-1" in out
    runbook("settle", "INC-1", "End", "--done", "--because", "The rows are terminated.")
    runbook("run", "dead_sessions", "--incident", "INC-1", expect=0)
