"""Run a runbook for an incident: find it, check what was given, declare, approve, execute.

Nothing is created before everything that can be checked has been.
"""

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.errors import (
    IncidentStateError,
    RecordIntegrityError,
    SettingMissingError,
    StoreUnavailableError,
)
from runbook_nb.incident.approval import (
    INCIDENT_PARAMETER,
    Approvable,
    Approver,
    approve,
    approver_for,
    parameters_digest,
)
from runbook_nb.incident.context import RunContext, new_run_id
from runbook_nb.incident.declaration import declaration_of
from runbook_nb.incident.recommend import named
from runbook_nb.probes.environment import Environment
from runbook_nb.runbook.names import demand_plain_person
from runbook_nb.runbook.pack_code import pack_digest
from runbook_nb.runbook.people import People, read_people
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine import Execution, execute
from runbook_nb.runs.engine.progress import Progress
from runbook_nb.runs.engine.spare_kernel import SpareKernel
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import Attempt
from runbook_nb.timeline.depot import depot_of, keep_runs
from runbook_nb.timeline.events import (
    UNDO,
    Acted,
    Alert,
    Approved,
    Ended,
    Noted,
    Started,
    Verdict,
)
from runbook_nb.timeline.incidents import find, refuse_closed
from runbook_nb.timeline.writer import WritableTimeline


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for: a runbook, an incident or an alert, parameters and approvals.

    ``approve`` and ``option`` name options by heading or letter. ``incident`` None joins the open
    incident of the alert, or opens a new one. ``also`` are alerts that came with it, ``reported``
    is what somebody said is wrong. ``key`` is the file of a key that signs the approvals, that of
    this user by default.
    """

    runbook: Runbook
    incidents: Path
    actor: str
    incident: str | None = None
    alert: Alert | None = None
    also: Sequence[Alert] = ()
    reported: str = ""
    parameters: Mapping[str, Json] | None = None
    approve: Sequence[str] = ()
    option: str = ""
    limit_s: float = 1800
    key: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run came to; ``begun`` are the attempts that may be half done."""

    incident: str
    context: RunContext
    timeline: WritableTimeline
    execution: Execution
    verdict: Verdict
    begun: tuple[Attempt, ...] = ()


def run(order: Order, *, progress: Progress, ready: SpareKernel | None = None) -> Run:
    """Run a runbook unattended and return what came of it; a series hands its ``ready`` kernel in.

    Raises RunbookFormatError where its text holds more than verbs, and ParameterError,
    SettingMissingError or StepNotFoundError, before anything is created. Raises
    IncidentStateError for a closed incident.
    """
    runbook = order.runbook
    declaration, values = declaration_of(runbook, order.parameters or {}, by=order.actor)
    environment = declaration.environment
    approved = [_option_or_undo(option, runbook) for option in order.approve]
    approver = Approver(name=order.actor)
    if approved:
        approver = _approver(environment, label=order.actor, key=order.key)
    chosen = named(order.option, runbook) if order.option else ""
    timeline = declaration.declare(
        order.incidents,
        incident=order.incident,
        alert=order.alert,
        also=order.also,
        reported=order.reported,
    )
    incident = timeline.folder.name
    values[INCIDENT_PARAMETER] = incident
    for option in approved:
        approvable = Approvable(
            option=option,
            text=runbook.digest,
            parameters=parameters_digest(values, environment=environment.name),
            code=pack_digest(runbook),
            requested_by=order.actor,
        )
        approve(timeline, approvable, approver)
    context = RunContext(
        incidents=order.incidents,
        incident=incident,
        run=new_run_id(runbook.name),
        notebook=runbook.path,
        actor=order.actor,
        attended=False,
        option=chosen,
    )
    execution = execute(
        runbook,
        parameters=values,
        context=context,
        redactor=declaration.redactor,
        progress=progress,
        limit_s=order.limit_s,
        ready=ready,
    )
    ended = Ended(
        at=datetime.now(UTC),
        run=context.run,
        by=order.actor,
        runbook=runbook.name,
        complete=execution.complete,
        reason=execution.reason,
        took_s=round(execution.took_s, 3),
    )
    # An incident that was closed meanwhile takes no end of a run any more.
    with suppress(IncidentStateError):
        timeline.append(ended)
        _keep_copy(timeline)
    begun = tuple(queries.unsettled(timeline))
    known = execution.complete and not begun
    verdict = queries.verdict_of(timeline, context.run) if known else Verdict.UNKNOWN
    return Run(
        incident=incident,
        context=context,
        timeline=timeline,
        execution=execution,
        verdict=verdict,
        begun=begun,
    )


def _keep_copy(timeline: WritableTimeline) -> None:
    """Keep the executed copy where other machines find it; where that fails, say so."""
    depot = depot_of(timeline.folder.incidents.path)
    try:
        if depot is not None:
            keep_runs(depot, timeline.folder)
    except (StoreUnavailableError, RecordIntegrityError, SettingMissingError) as error:
        text = (
            f"The executed copy is on {socket.gethostname()} only: {error} "
            "Have it brought from there: runbook store copy --to store"
        )
        timeline.append(Noted(at=datetime.now(UTC), text=text))


@dataclass(frozen=True, kw_only=True)
class LastRun:
    """What a yes to an option of the last run is given to, and where it is written."""

    timeline: WritableTimeline
    environment: Environment
    approvable: Approvable
    started: Started


def last_run(incidents: Path, incident: str, *, option: str) -> LastRun:
    """Return what can be approved of the last run: its text, parameters, calls and code.

    Raises IncidentStateError when nothing has run or it is closed, StepNotFoundError for an unknown
    option, and SettingMissingError where the environment is unknown.
    """
    known = find(incidents, incident)
    refuse_closed(known)
    started = known.last(Started)
    if started is None:
        message = f"{incident} has no run yet. Diagnose first: runbook run --incident {incident}"
        raise IncidentStateError(message)
    runbook, environment = Runbook.find(started.runbook), Environment.load(started.environment)
    ran = [acted for acted in known.of(Acted) if acted.run == started.run]
    return LastRun(
        timeline=WritableTimeline(
            known.path, redactor=environment.redactor(allowed=runbook.contacts)
        ),
        environment=environment,
        approvable=Approvable(
            option=_option_or_undo(option, runbook),
            text=started.runbook_digest,
            parameters=_parameters_of(started),
            code=started.code,
            requested_by=started.by,
            calls={acted.title: acted.call for acted in ran},
            call_digests={acted.title: acted.call_digest for acted in ran if acted.call_digest},
        ),
        started=started,
    )


def approve_last(
    incidents: Path, incident: str, *, option: str, by: str, key: Path | None = None
) -> Approved:
    """Approve an option of the last run.

    It is signed by the ``key`` file, or by this user's key; ``by`` is a label where a name is
    enough. Raises what ``last_run`` raises, ApprovalError where nobody can sign, and ParameterError
    for a name that would be masked.
    """
    last = last_run(incidents, incident, option=option)
    approver = _approver(last.environment, label=by, key=key)
    demand_plain_person(approver.name, last.timeline.redactor)
    return approve(last.timeline, last.approvable, approver)


def _approver(environment: Environment, *, label: str, key: Path | None) -> Approver:
    people = read_people() if key or environment.approve == "signed" else People()
    return approver_for(environment, label=label, key=key, people=people)


def _parameters_of(started: Started) -> str:
    """Return the digest of what a run was given, taken before anything in it was masked."""
    told = started.parameters_digest
    return told or parameters_digest(started.parameters, environment=started.environment)


def _option_or_undo(option: str, runbook: Runbook) -> str:
    """Return the heading that is meant, or the undo of an action of this runbook, as it is."""
    titles = {f"{UNDO}{step.title}" for step in runbook.steps if step.verb == "act"}
    return option if option in titles else named(option, runbook)
