"""The command that opens a runbook by hand."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import Actor, Incidents, app, given_parameters, say_to_errors, start_lab
from runbook_nb.cli.runbooks import catalogue
from runbook_nb.errors import ParameterError, RunbookNotFoundError

if TYPE_CHECKING:
    from runbook_nb.opening import Found


@app.command("open")
def open_(
    what: Annotated[
        str, typer.Argument(help="A runbook, or what you see, in words.", show_default=False)
    ] = "",
    *,
    alert: Annotated[
        Path | None, typer.Option(help="An alert as JSON; it finds the runbook and the incident.")
    ] = None,
    incident: Annotated[str | None, typer.Option(help="Join this incident, or open it.")] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("-p", "--parameter", help="A parameter, name=value.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    start: Annotated[bool, typer.Option(help="Start JupyterLab.")] = True,
    incidents: Incidents = None,
    by: Actor = "",
) -> None:
    """Open a working copy of a runbook in JupyterLab; the master is never run.

    What a machine has diagnosed stands in the copy. A JupyterLab that runs is used again.

    Example: runbook open "beats are late" --incident INC-2041
    """
    from runbook_nb.alerts import read_alerts
    from runbook_nb.context import actor, incidents_folder
    from runbook_nb.incidents import find
    from runbook_nb.model import Decided
    from runbook_nb.opening import prepare, show
    from runbook_nb.runbook import Runbook

    folder = incidents or incidents_folder()
    told = read_alerts(alert)[0] if alert else None
    if told and not what:
        book = Runbook.for_alert(told)
        typer.echo(f"{book.name} answers the alert {told.name}.")
    else:
        book = Runbook.find(_meant(what, folder, incident).name)
    given = given_parameters(parameter or [])
    if given.get("environment", "lab") == "lab":
        start_lab(say_to_errors)
    context = prepare(
        book, incidents=folder, incident=incident, parameters=given, by=by or actor(), alert=told
    )
    typer.echo(f"Incident {context.incident}. Working copy: {context.notebook}")
    decided = find(folder, context.incident).last(Decided)
    if start:
        heading = decided.option or "" if decided else ""
        show(context, browser=browser, heading=heading, say=typer.echo)


def _meant(what: str, incidents: Path, incident: str | None) -> "Found":
    """Return the runbook that is meant, and say why; where it is not clear, ask."""
    from runbook_nb.opening import by_words, of_incident
    from runbook_nb.opening.finding import chosen

    if not what and incident:
        found = of_incident(incidents, incident)
        typer.echo(f"{found.name}: {found.why}")
        return found
    if not what:
        message = "Name a runbook, an --incident, an --alert, or say what you see."
        raise ParameterError(message)
    fitting = by_words(what, catalogue())
    for number, found in enumerate(fitting, start=1):
        lead = f"{number}. " if len(fitting) > 1 else ""
        typer.echo(f"{lead}{found.name}" + (f"  ({found.why})" if found.why else ""))
    if len(fitting) == 1:
        return fitting[0]
    if not sys.stdin.isatty():
        message = f"Several runbooks fit {what!r}. Name one: runbook open {fitting[0].name}"
        raise RunbookNotFoundError(message)
    return chosen(fitting, typer.prompt("Which one? Its number"))
