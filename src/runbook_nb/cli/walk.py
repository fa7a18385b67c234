"""Commands that run verbs in this terminal: walk, undo."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import (
    Actor,
    AsJson,
    IncidentId,
    Incidents,
    OfIncident,
    Parameters,
    app,
    event_facts,
    given_parameters,
    say,
)
from runbook_nb.cli.by_hand import alerts_of, choice_of, say_choice, try_lab
from runbook_nb.cli.completion import runbooks_and_incidents
from runbook_nb.errors import ParameterError

if TYPE_CHECKING:
    from runbook_nb.runs.terminal import Session


@app.command()
def walk(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="An incident, a runbook, or a symptom in words.",
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
    incidents: Incidents = None,
    by: Actor = "",
) -> None:
    """Go through a runbook step by step in this terminal, and leave and go on as you like.

    Example: runbook walk INC-2041
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.runs.terminal import Session, Walk
    from runbook_nb.runs.terminal.screen import TerminalScreen
    from runbook_nb.timeline.folder import IncidentFolder, incidents_folder

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        message = "A walk asks a person, and this is no terminal. Unattended: runbook run"
        raise ParameterError(message)
    folder = (incidents or incidents_folder()).absolute()
    given, told = given_parameters(parameter or []), " ".join(words or [])
    alerts = alerts_of(alert, told, incidents=folder, parameters=given, by=by or actor())
    screen = TerminalScreen(sys.stdout)
    if told and IncidentFolder(folder / told).is_incident:
        session = Session.go_on(
            folder, told, parameters=given, by=by or actor(), screen=screen, ask=input
        )
    else:
        choice = choice_of(told, incidents=folder, incident=incident, alerts=alerts)
        if choice is None:
            message = (
                "Say what to walk through: an incident, a runbook, a symptom in words, or --alert "
                "FILE. See what there is: runbook list"
            )
            raise ParameterError(message)
        try_lab(choice, given)
        session = Session.begin(
            choice.runbook,
            incidents=folder,
            incident=incident,
            parameters=given,
            by=by or actor(),
            screen=screen,
            ask=input,
            alerts=alerts,
            reported=choice.symptom,
        )
        say_choice(choice)
    done = Walk(session=session, screen=screen, ask=input).go()
    _say_how_to_go_on(session, done=done)


@app.command()
def undo(
    incident: IncidentId,
    title: Annotated[str, typer.Argument(help="The action that was done.")],
    *,
    parameter: Parameters = None,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Take back an action that was done, with the same consent, and read its checks again.

    It asks for a typed word; where nobody can be asked it needs an approval of 'Undo: ' and the
    action's title.

    Example: runbook undo INC-2041 "Restart the worker"
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.runs.terminal import Session
    from runbook_nb.runs.terminal.screen import TerminalScreen
    from runbook_nb.timeline.events import Undone
    from runbook_nb.timeline.folder import incidents_folder

    folder = (incidents or incidents_folder()).absolute()
    screen = TerminalScreen(sys.stderr if as_json else sys.stdout)
    session = Session.go_on(
        folder,
        incident,
        parameters=given_parameters(parameter or []),
        by=by or actor(),
        screen=screen,
        ask=input,
    )
    card = session.incident.undo(title)
    if as_json:
        undone = session.incident.timeline.last(Undone, title=title)
        facts = event_facts(incident, undone) if undone else {"incident": incident}
        return say("", facts=facts, as_json=True)
    return screen.card(card)


def _say_how_to_go_on(session: "Session", *, done: bool) -> None:
    incident = session.incident.board.incident
    following = f"runbook close {incident}" if done else f"runbook walk {incident}"
    typer.echo(f"Go on: {following}")
