"""One effect at most, and told: a process is killed at each place between two durable steps."""

import json
import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import acting_process as trial
import psycopg
import pytest

from runbook_nb.errors import ActionError
from runbook_nb.incident.place import Place
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.testing import runbook_cells
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acted, Acting, Outcome, Sending, Settled, Settlement
from runbook_nb.timeline.log import Timeline

pytestmark = pytest.mark.slow

TABLES = """
drop schema if exists acting cascade;
create schema acting;
create table acting.effects (attempt text);
create table acting.undos (attempt text);
grant usage on schema acting to runbook_reader, runbook_writer;
grant select on all tables in schema acting to runbook_reader;
grant all on all tables in schema acting to runbook_writer;
"""


class Effects:
    """What is in the system, as its owner sees it."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def count(self, table: str = "effects") -> int:
        with psycopg.connect(self._dsn) as connection:
            return connection.execute(f"select count(*) from acting.{table}").fetchone()[0]

    def until(self, sql: str, *, within_s: float = 30) -> None:
        ends = time.monotonic() + within_s
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while connection.execute(sql).fetchone() is None:
                assert time.monotonic() < ends
                connection.execute("select pg_sleep(0.05)")

    def run(self, sql: str) -> None:
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute(sql)


@pytest.fixture
def effects(lab):
    """Give an empty table of effects, and remove it afterwards."""
    found = Effects(Lab(lab.folder).dsn())
    found.run(TABLES)
    yield found
    found.run("drop schema acting cascade")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a runbook of one check and one action."""
    (tmp_path / "trial.ipynb").write_text(json.dumps(runbook_cells()), encoding="utf-8")
    return tmp_path


def started(folder: Path, lab, kind: str, place: Place, verb: str = "act"):
    """Begin in a process of its own."""
    words = (folder, lab.folder, kind, place, verb)
    process = multiprocessing.get_context("spawn").Process(target=trial.act_and_die, args=words)
    process.start()
    return process


def killed(folder: Path, lab, kind: str, place: Place, verb: str = "act") -> Timeline:
    """Run until the process is killed; return the timeline that it left."""
    process = started(folder, lab, kind, place, verb)
    process.join(60)
    assert process.exitcode == -9
    return Timeline(folder / "incidents" / "INC-1" / "timeline.jsonl")


def is_told(timeline: Timeline) -> bool:
    """Tell whether the timeline says that the action is done."""
    return queries.done(timeline, "Restart") is not None


@pytest.mark.parametrize("kind", ["contained", "plain"])
@pytest.mark.parametrize("place", list(Place))
def test_after_a_kill_at_any_place_there_is_one_effect_at_most_and_it_is_told(
    folder, lab, effects, kind, place
):
    """The next run settles first; a passing check is no proof, and nothing is done twice."""
    timeline = killed(folder, lab, kind, place)
    trial.act(folder, lab.folder, run="run-2", kind=kind)

    # Before anything was told, only an action that says it is contained is known not to be done.
    unknown = kind == "plain" and place in (Place.BEGUN, Place.RETURNED, Place.KEPT)
    assert effects.count() == (0 if unknown else 1)
    assert is_told(timeline) is (effects.count() == 1)
    assert bool(queries.unsettled(timeline)) is unknown
    if unknown:
        assert timeline.last(Acted).outcome is Outcome.DECLINED


def test_an_effect_whose_outcome_was_lost_is_settled_by_its_transaction(folder, lab, effects):
    """The reader asks the database, and the evidence stands on the timeline."""
    timeline = killed(folder, lab, "plain", Place.COMMITTED)
    trial.act(folder, lab.folder, run="run-2", kind="plain")

    settled = timeline.last(Settled)
    assert settled.outcome is Settlement.DONE
    assert settled.attempt == timeline.last(Acting).attempt
    assert settled.evidence
    assert effects.count() == 1


def test_an_action_that_was_settled_as_done_can_be_undone(folder, lab, effects):
    """Its result was kept before the commit, whole."""
    killed(folder, lab, "plain", Place.COMMITTED)
    own = trial.act(folder, lab.folder, run="run-2", kind="plain")
    trial.approve(own, trial.UNDO)
    own.undo("Restart")

    assert (effects.count(), effects.count("undos")) == (0, 1)
    assert not is_told(own.timeline)


@pytest.mark.parametrize("place", list(Place))
def test_after_a_kill_during_an_undo_it_is_not_repeated_blindly(folder, lab, effects, place):
    """An undo is an action: begun, told, settled."""
    timeline = killed(folder, lab, "contained", place, "undo")
    own = trial.incident(folder, lab.folder, run="run-2")
    trial.approve(own, trial.UNDO)
    own.plan.keep_action(
        "Restart",
        trial.contained(),
        because="Lag",
        risk="",
        undo="Delete it.",
        changed=False,
        covered=True,
    )
    try:
        own.undo("Restart")
    except ActionError:
        assert not is_told(timeline)

    assert (effects.count(), effects.count("undos")) == (0, 1)
    assert not is_told(timeline)
    assert not queries.unsettled(timeline)


def test_no_statement_outlives_its_run(folder, lab, effects):
    """The server looks for its client, and rolls back what a killed one left."""
    running = """
    select 1 from pg_stat_activity where query like '%pg_sleep(40)%' and state = 'active'
    and application_name = 'runbook'
    """
    process = started(folder, lab, "slow", Place.ENDED)
    effects.until(running)
    process.kill()
    process.join()

    effects.until(f"select 1 where not exists ({running})", within_s=10)
    assert effects.count() == 0


def test_a_transaction_that_still_runs_is_neither_done_nor_not(folder, lab, effects):
    """Its client is held, not dead: nobody may say what will become of it."""
    timeline = killed(folder, lab, "plain", Place.TOLD)
    told, sent = timeline.of(Acting)[-1], timeline.of(Sending)[-1]
    with psycopg.connect(Lab(lab.folder).dsn()) as other:
        running = other.execute("select pg_current_xact_id()::text").fetchone()[0]
        own = trial.incident(folder, lab.folder, run="run-2")
        status = own._settler._status(replace(sent, transaction=running))
    assert status == "in progress"
    assert queries.begun(timeline, "Restart") == told
