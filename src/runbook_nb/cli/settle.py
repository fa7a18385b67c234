"""The command that settles what was begun: settle."""

from typing import Annotated

import typer

from runbook_nb.cli.app import Actor, AsJson, IncidentId, Incidents, app, event_facts, say
from runbook_nb.cli.completion import unsettled_titles
from runbook_nb.errors import ParameterError


@app.command()
def settle(
    incident: IncidentId,
    title: Annotated[
        str,
        typer.Argument(
            help="The action, or 'Undo: ' and the action.", autocompletion=unsettled_titles
        ),
    ],
    *,
    done: Annotated[bool, typer.Option("--done", help="It took effect.")] = False,
    not_done: Annotated[bool, typer.Option("--not-done", help="It changed nothing.")] = False,
    because: Annotated[str, typer.Option(help="What you saw, in a sentence.")] = "",
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Say what became of an action that nobody saw end; until then it is not done again.

    Example: runbook settle INC-2041 "Restart the worker" --not-done --because "Its uptime is 3 d."
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.settle import settle_by_hand
    from runbook_nb.timeline.events import Settlement
    from runbook_nb.timeline.folder import incidents_folder

    if done == not_done:
        message = "Say whether it took effect: --done or --not-done."
        raise ParameterError(message)
    settled = settle_by_hand(
        incidents or incidents_folder(),
        incident,
        title,
        outcome=Settlement.DONE if done else Settlement.NOT_DONE,
        because=because,
        by=by or actor(),
    )
    outcome = settled.outcome.replace("_", " ")
    said = f"{settled.title!r} is settled as {outcome}, by {settled.by}."
    say(said, facts=event_facts(incident, settled), as_json=as_json)
