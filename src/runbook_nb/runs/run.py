"""Run a runbook for an incident: find it, check what was given, declare, approve, execute.

Nothing is created before everything that can be checked has been.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.errors import IncidentStateError
from runbook_nb.incident.approval import LIFETIME, digest
from runbook_nb.incident.context import RunContext, new_run_id
from runbook_nb.incident.recommend import named, newest
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.probes.limits import worst
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.policy import policy_for
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine import Execution, execute
from runbook_nb.runs.engine.progress import Progress
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import (
    Acted,
    Alert,
    Approved,
    Checked,
    Ended,
    Started,
    Verdict,
    Verified,
)
from runbook_nb.timeline.folder import checked_id
from runbook_nb.timeline.incidents import declare, find, refuse_closed
from runbook_nb.timeline.log import Timeline


@dataclass(frozen=True, kw_only=True)
class Order:
    """What was asked for: a runbook, an incident or an alert, parameters and approvals.

    ``approve`` and ``option`` name options by heading or letter. ``incident`` None joins the open
    incident of the alert, or opens a new one.
    """

    runbook: Runbook
    incidents: Path
    actor: str
    incident: str | None = None
    alert: Alert | None = None
    parameters: Mapping[str, Json] | None = None
    approve: Sequence[str] = ()
    option: str = ""
    limit_s: float = 1800


@dataclass(frozen=True, kw_only=True)
class Run:
    """What a run came to."""

    incident: str
    context: RunContext
    timeline: Timeline
    execution: Execution
    verdict: Verdict


def run(order: Order, *, progress: Progress) -> Run:
    """Run a runbook unattended and return what came of it.

    Raises ParameterError, SettingMissingError or StepNotFoundError before anything is created,
    and IncidentStateError for a closed incident.
    """
    runbook = order.runbook
    values = typed(runbook, dict(order.parameters or {}))
    environment = Environment.load(str(values.get("environment", LAB)))
    approved = [named(option, runbook) for option in order.approve]
    chosen = named(order.option, runbook) if order.option else ""
    if order.incident is not None:
        checked_id(order.incident)
    redactor = environment.redactor(allowed=runbook.contacts)
    timeline = declare(
        order.incidents,
        incident=order.incident,
        title=(order.alert.summary if order.alert else "") or runbook.title,
        severity=str(runbook.front["severity"]),
        runbook=runbook.name,
        environment=environment.name,
        by=order.actor,
        alert=order.alert,
        redactor=redactor,
        terms=policy_for(runbook).terms,
    )
    incident = timeline.path.parent.name
    values["incident_id"] = incident
    for option in approved:
        approve(timeline, runbook=runbook, parameters=values, option=option, by=order.actor)
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
        redactor=redactor,
        progress=progress,
        limit_s=order.limit_s,
    )
    timeline.append(
        Ended(
            at=datetime.now(UTC),
            run=context.run,
            by=order.actor,
            runbook=runbook.name,
            complete=execution.complete,
            reason=execution.reason,
            took_s=round(execution.took_s, 3),
        )
    )
    verdict = verdict_of(timeline, context.run) if execution.complete else Verdict.UNKNOWN
    return Run(
        incident=incident,
        context=context,
        timeline=timeline,
        execution=execution,
        verdict=verdict,
    )


def approve(
    timeline: Timeline,
    *,
    runbook: Runbook,
    parameters: Mapping[str, Json],
    option: str,
    by: str,
) -> Approved:
    """Record that ``by`` says yes to an option of this text with these parameters."""
    now = datetime.now(UTC)
    values = {name: value for name, value in parameters.items() if name != "incident_id"}
    return timeline.append(
        Approved(
            at=now,
            by=by,
            option=option,
            text=runbook.digest,
            parameters=digest(values),
            expires_at=now + LIFETIME,
            requested_by=by,
        )
    )


def verdict_of(timeline: Timeline, run_id: str) -> Verdict:
    """Return the worst verdict of a run, each check by its newest reading."""
    checks = [event for event in timeline.of(Checked) if event.run == run_id]
    latest = {title: checked.verdict for title, checked in newest(checks).items()}
    latest.update(
        {event.title: event.verdict for event in timeline.of(Verified) if event.run == run_id}
    )
    return worst(latest.values())


def approve_last(incidents: Path, incident: str, *, option: str, by: str) -> Approved:
    """Record that ``by`` approves an option for the text and parameters of the last run.

    Raises IncidentStateError when nothing has run, StepNotFoundError for an unknown option.
    """
    timeline = find(incidents, incident)
    refuse_closed(timeline)
    started = timeline.last(Started)
    if started is None:
        message = f"{incident} has no run yet. Diagnose first: runbook run --incident {incident}"
        raise IncidentStateError(message)
    runbook = Runbook.find(started.runbook)
    calls = {acted.title: acted.call for acted in timeline.of(Acted) if acted.run == started.run}
    now = datetime.now(UTC)
    return timeline.append(
        Approved(
            at=now,
            by=by,
            option=named(option, runbook),
            text=started.runbook_digest,
            parameters=digest({"environment": started.environment, **started.parameters}),
            calls=calls,
            expires_at=now + LIFETIME,
            requested_by=started.by,
        )
    )
