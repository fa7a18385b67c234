"""Commands for an incident under way, without a browser: status, note, answer, severity."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import (
    Actor,
    AsJson,
    IncidentId,
    Incidents,
    app,
    event_facts,
    say,
    say_to_errors,
)
from runbook_nb.cli.completion import incident_ids, open_questions, severities
from runbook_nb.errors import RunbookError

if TYPE_CHECKING:
    from runbook_nb.incident.board import Board


@app.command()
def status(
    incident: Annotated[
        str | None,
        typer.Argument(
            help="The incident; without one, that which is open, or a list of several.",
            autocompletion=incident_ids,
            show_default=False,
        ),
    ] = None,
    *,
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """Say where an incident stands: every step, the clocks, who did what, and what comes next.

    Example: runbook status INC-2041
    """
    from runbook_nb.incident.board.status import next_command, status_facts
    from runbook_nb.incident.cards.board_card import board_text
    from runbook_nb.timeline.folder import incidents_folder

    folder = incidents or incidents_folder()
    boards = [_board(folder, incident)] if incident else _open_boards(folder)
    if as_json:
        facts = [status_facts(board) for board in boards]
        shown = facts[0] if incident else facts
        return typer.echo(json.dumps(shown, indent=2, default=_plain))
    if not boards:
        return typer.echo(f"No incident is open in {folder}.")
    if len(boards) > 1:
        for board in boards:
            typer.echo(_line(board))
        return typer.echo("One of them in full: runbook status ID")
    typer.echo(board_text(boards[0]))
    if following := next_command(boards[0]):
        typer.echo(f"Go on: {following}")
    return None


@app.command()
def note(
    incident: IncidentId,
    text: Annotated[str, typer.Argument(help="The words, in quotes.")],
    *,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Add words to an incident; ``told …``, ``called …`` and ``escalated …`` count as an update.

    Example: runbook note INC-2041 "Told #ops: the exports are paused."
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.contributions import note as add_note
    from runbook_nb.timeline.folder import incidents_folder

    added = add_note(incidents or incidents_folder(), incident, text=text, by=by or actor())
    said = f"Noted in {incident} at {added.at:%H:%M:%SZ}: {added.text}"
    say(said, facts=event_facts(incident, added), as_json=as_json)


@app.command()
def answer(
    incident: IncidentId,
    question: Annotated[
        str,
        typer.Argument(help="A part of the manual step.", autocompletion=open_questions),
    ],
    text: Annotated[str, typer.Argument(help="What was done, or what is seen; in quotes.")],
    *,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Answer a manual step; the newest answer stands.

    Example: runbook answer INC-2041 "Page the on-call" "Paged, she is on it."
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.contributions import answer as add_answer
    from runbook_nb.timeline.folder import incidents_folder

    folder = incidents or incidents_folder()
    added = add_answer(folder, incident, question, text=text, by=by or actor())
    said = f"Answered in {incident} at {added.at:%H:%M:%SZ}: {added.question}"
    say(said, facts=event_facts(incident, added), as_json=as_json)


@app.command()
def severity(
    incident: IncidentId,
    to: Annotated[str, typer.Argument(help="The new severity.", autocompletion=severities)],
    *,
    because: Annotated[str, typer.Option(help="Why, in a sentence.")],
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Give an incident another severity; its clocks go by the new one from now on.

    Example: runbook severity INC-2041 SEV2 --because "One customer only."
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.contributions import classify
    from runbook_nb.timeline.folder import incidents_folder

    folder = incidents or incidents_folder()
    done = classify(folder, incident, severity=to, because=because, by=by or actor())
    said = f"{incident} is a {done.severity} now; it was a {done.before}."
    say(said, facts=event_facts(incident, done), as_json=as_json)


def _board(incidents: Path, incident: str) -> "Board":
    from runbook_nb.incident.board import board_of
    from runbook_nb.incident.known_incident import last_runbook
    from runbook_nb.timeline.incidents import find

    timeline = find(incidents, incident)
    return board_of(timeline, last_runbook(timeline), now=datetime.now(UTC))


def _open_boards(incidents: Path) -> list["Board"]:
    """Return the boards of all open incidents; one that cannot be read is named, not in the way."""
    from runbook_nb.timeline.incidents import maybe_open

    boards = []
    for folder in maybe_open(incidents):
        try:
            boards.append(_board(incidents, folder.name))
        except (RunbookError, OSError) as error:
            say_to_errors(f"{folder.name}: {error}")
    return boards


def _line(board: "Board") -> str:
    from runbook_nb.text.formatting import one_line

    following = f"next: {one_line(board.next_step.title)}" if board.next_step else "nothing waits"
    return f"{board.incident}  {board.severity}  {one_line(board.title)}  ({following})"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
