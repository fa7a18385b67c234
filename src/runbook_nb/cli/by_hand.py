"""The command that opens a runbook by hand."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import (
    Actor,
    Incidents,
    OfIncident,
    Parameters,
    app,
    given_parameters,
    say_to_errors,
    start_lab,
)
from runbook_nb.cli.completion import runbooks_and_incidents
from runbook_nb.cli.show import catalogue
from runbook_nb.errors import LabError, RunbookNotFoundError
from runbook_nb.probes.lab_settings import LAB

if TYPE_CHECKING:
    from runbook_nb.runs.by_hand import Choice, Unclear
    from runbook_nb.timeline.events import Alert


@app.command("open")
def open_(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="A runbook, an incident, or a symptom in words; nothing opens the list.",
            autocompletion=runbooks_and_incidents,
            show_default=False,
        ),
    ] = None,
    *,
    alert: Annotated[
        Path | None, typer.Option(help="An alert as JSON; it finds the runbook.")
    ] = None,
    incident: OfIncident = None,
    parameter: Parameters = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    start: Annotated[bool, typer.Option(help="Start JupyterLab.")] = True,
    incidents: Incidents = None,
    by: Actor = "",
) -> None:
    """Open a working copy of a runbook in JupyterLab; the master is never run.

    Example: runbook open "jobs are late" --incident INC-2041
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.runs.by_hand import prepare, show
    from runbook_nb.timeline.folder import IncidentFolder, incidents_folder

    folder = (incidents or incidents_folder()).absolute()
    given, told = given_parameters(parameter or []), " ".join(words or [])
    alerts = alerts_of(alert, told, incidents=folder, parameters=given, by=by or actor())
    if told and IncidentFolder(folder / told).is_incident:
        told, incident = "", told
    choice = choice_of(told, incidents=folder, incident=incident, alerts=alerts)
    try_lab(choice, given)
    if choice is None:
        return show(None, incidents=folder, browser=browser, say=typer.echo)
    opening = prepare(
        choice.runbook,
        incidents=folder,
        incident=incident,
        parameters=given,
        by=by or actor(),
        alerts=alerts,
        reported=choice.symptom,
    )
    say_choice(choice)
    typer.echo(f"Incident {opening.incident}. Working copy: {opening.copy.path}")
    typer.echo(f"It is made of {opening.made_of}.")
    if start:
        # What is printed must be on the screen before this process becomes the server.
        sys.stdout.flush()
        show(opening.copy, incidents=folder, browser=browser, say=typer.echo)
    return None


def alerts_of(
    file: Path | None, told: str, *, incidents: Path, parameters: Mapping[str, str], by: str
) -> "tuple[Alert, ...]":
    """Return the alerts of a delivery that one incident is opened for; all others are named.

    Those are the alerts that the first one's runbook answers, or all where something else is
    ``told``. Raises ParameterError where none fires, and RunbookNotFoundError where none is
    answered.
    """
    from runbook_nb.runs.delivery import note_cleared, sort_delivery
    from runbook_nb.text.formatting import one_line
    from runbook_nb.timeline.alerts import firing_of, read_delivery

    if file is None:
        return ()
    delivery = read_delivery(file)
    note_cleared(
        delivery.cleared, incidents=incidents, parameters=parameters, by=by, say=say_to_errors
    )
    firing = firing_of(delivery, file)
    if told:
        return firing
    found = sort_delivery(delivery)
    if not found.groups:
        raise RunbookNotFoundError(" ".join(found.unanswered))
    for sentence in found.unanswered:
        say_to_errors(sentence)
    for group in found.groups[1:]:
        names = ", ".join(one_line(alert.name) for alert in group.alerts)
        say_to_errors(f"Also delivered, and not opened: {names}. Open {group.runbook.name} too.")
    return found.groups[0].alerts


def choice_of(
    told: str, *, incidents: Path, incident: str | None, alerts: "Sequence[Alert]"
) -> "Choice | None":
    """Return the runbook that is meant; None where nothing was said of it."""
    from runbook_nb.runs.by_hand import by_alert

    if alerts and not told:
        return by_alert(alerts[0])
    if told or incident:
        return chosen_runbook(told, incidents=incidents, incident=incident)
    return None


def chosen_runbook(told: str, *, incidents: Path, incident: str | None) -> "Choice":
    """Return the runbook that is named, or that a symptom or an incident leads to.

    A person chooses where several fit; raises RunbookNotFoundError where there is none to ask.
    """
    from runbook_nb.runbook import runbooks_folder
    from runbook_nb.runbook.catalog.coverage import alert_summaries
    from runbook_nb.runbook.policy import policy_or_default
    from runbook_nb.runs.by_hand import Unclear, by_incident, by_words

    if not told and incident:
        return by_incident(incidents, incident)
    triage = policy_or_default(runbooks_folder()).triage
    found = by_words(told, catalogue(), summaries=alert_summaries(), triage=triage)
    return _asked(found) if isinstance(found, Unclear) else found


def _asked(unclear: "Unclear") -> "Choice":
    """Let a person choose; raises RunbookNotFoundError where there is none to ask."""
    from runbook_nb.runs.by_hand.choice import because

    lines = [
        f"  {number}. {hit.entry.name:30} {because(hit)}"
        for number, hit in enumerate(unclear.hits, start=1)
    ]
    listed = "\n".join([f"Several runbooks fit {unclear.words!r}:", *lines])
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        message = f"{listed}\nOpen one by its name: runbook open {unclear.hits[0].entry.name}"
        raise RunbookNotFoundError(message)
    typer.echo(listed)
    number = 0
    while not 1 <= number <= len(unclear.hits):
        number = typer.prompt(f"Which one, 1 to {len(unclear.hits)}?", type=int)
    return unclear.chosen(number)


def say_choice(choice: "Choice") -> None:
    """Say which runbook it is, why, and what came close."""
    typer.echo(f"Runbook {choice.runbook.name}: {choice.why}")
    if choice.others:
        names = ", ".join(hit.entry.name for hit in choice.others)
        typer.echo(f"It could also be: {names}.")


def try_lab(choice: "Choice | None", given: Mapping[str, str]) -> None:
    """Start the lab; without it the notebook opens all the same, and its checks say unknown."""
    from runbook_nb.runbook.packs import find_lab, has_lab

    environment = choice.runbook.environment(given) if choice else given.get("environment", LAB)
    if environment != LAB or not has_lab():
        return
    try:
        source = choice.runbook.source() if choice else ""
        start_lab(say_to_errors, lab=find_lab(source=source))
    except LabError as error:
        say_to_errors(f"The lab did not start: {error} Checks will be unknown until it runs.")
