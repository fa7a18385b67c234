"""A process that acts in an incident and ends itself at one place: what a crash leaves behind."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runbook_nb import above, at_most
from runbook_nb.incident import Incident
from runbook_nb.incident.approval import LIFETIME, parameters_digest
from runbook_nb.incident.context import RunContext
from runbook_nb.incident.place import Place, pass_by
from runbook_nb.probes.calls import Action, action, probe
from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.testing import Wall
from runbook_nb.timeline.events import Approved
from runbook_nb.timeline.incidents import declare

OPTION, UNDO = "Option A: Restart", "Undo: Restart"
INSERT = "insert into acting.effects (attempt) values (%(attempt)s) returning attempt"
DELETE = "delete from acting.effects where attempt = any(%(attempts)s) returning attempt"
FAR = "insert into acting.undos (attempt) values (%(attempt)s)"


@probe(unit="s")
def lag(systems):
    """Fail until the effect is there."""
    return 1 if systems.database().value("select count(*) from acting.effects") else 9


@action(timeout_s=20, contained=True)
def contained(systems):
    """Add one effect, by nothing else than one transaction."""
    with systems.database().transaction():
        return {"rows": systems.database().rows(INSERT, attempt=systems.attempt)}


@action(timeout_s=20)
def plain(systems):
    """Add one effect; nobody says that this is all it does."""
    with systems.database().transaction():
        return {"rows": systems.database().rows(INSERT, attempt=systems.attempt)}


@action(timeout_s=60)
def slow(systems):
    """Add one effect in a transaction that takes long."""
    with systems.database().transaction():
        systems.database().rows(INSERT, attempt=systems.attempt)
        return systems.database().rows("select pg_sleep(40)")


@contained.undo
@plain.undo
def _(systems, result):
    attempts = [row["attempt"] for row in result["rows"]]
    with systems.database().transaction():
        systems.database().rows(FAR, attempt=systems.attempt)
        return systems.database().rows(DELETE, attempts=attempts)


ACTIONS: dict[str, Callable[[], Action]] = {
    "contained": contained,
    "plain": plain,
    "slow": slow,
}


def environment(folder: Path) -> Environment:
    """Return the lab's database, as its reader and its writer."""
    roles = {role: f"file:{folder}/secrets/{role}.dsn" for role in ("reader", "writer")}
    return Environment("trial", {"kind": "lab", "database": roles})


def incident(
    folder: Path, lab: Path, *, run: str, reached: Callable[[Place], None] = pass_by
) -> Incident:
    """Return a run of the trial runbook on the lab's database, with its check read."""
    runbook, place = Runbook.read(folder / "trial.ipynb"), environment(lab)
    context = RunContext(
        incidents=folder / "incidents",
        incident="INC-1",
        run=run,
        notebook=runbook.path,
        actor="sam",
        attended=False,
    )
    timeline = declare(
        context.incidents,
        incident="INC-1",
        title="Trial",
        severity="SEV3",
        runbook="trial",
        environment="trial",
        by="sam",
        alert=None,
        redactor=Redactor(),
    )
    own = Incident(
        context=context,
        timeline=timeline,
        runbook=runbook,
        environment=place,
        parameters={"window_s": 60},
        screen=Wall(),
        running=lambda: "",
        reached=reached,
    )
    limits = {"expect": at_most(5, "s"), "fail": above(8, "s")}
    own.check("Lag", lag(), if_failed=OPTION, **limits)
    return own


def approve(own: Incident, option: str) -> None:
    """Say yes for half an hour."""
    now = own._now()
    own.timeline.append(
        Approved(
            at=now,
            by="alex",
            option=option,
            text=own._runbook.digest,
            parameters=parameters_digest({"window_s": 60}, environment="trial"),
            expires_at=now + LIFETIME,
            requested_by="sam",
        )
    )


def act(folder: Path, lab: Path, *, run: str, kind: str, **more: Any) -> Incident:
    """Diagnose, decide, and act with a yes."""
    own = incident(folder, lab, run=run, **more)
    approve(own, OPTION)
    own.decide()
    own.act("Restart", ACTIONS[kind](), because="Lag", risk="", undo="Delete it.")
    return own


def act_and_die(folder: Path, lab: Path, kind: str, place: Place, verb: str) -> None:
    """Act, or act and undo, and be killed at a place of that verb."""
    armed = verb == "act"

    def reached(here: Place) -> None:
        if armed and here is place:
            os.kill(os.getpid(), signal.SIGKILL)

    own = act(folder, lab, run="run-1", kind=kind, reached=reached)
    armed = True
    approve(own, UNDO)
    own.undo("Restart")
