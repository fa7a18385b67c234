"""Commands for incidents: run, approve."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from runbook_nb.cli.app import (
    EXIT_CODES,
    Actor,
    AsJson,
    IncidentId,
    Incidents,
    OfIncident,
    Parameters,
    app,
    given_parameters,
    say_to_errors,
    start_lab,
)
from runbook_nb.cli.completion import option_letters, runbook_names
from runbook_nb.errors import ParameterError
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.timeline.events import VERDICTS_BY_RANK, Verdict


@app.command()
def run(
    name: Annotated[
        str | None,
        typer.Argument(help="The runbook; or give --alert.", autocompletion=runbook_names),
    ] = None,
    *,
    alert: Annotated[
        Path | None, typer.Option(help="An alert as JSON; it finds the runbook.")
    ] = None,
    incident: OfIncident = None,
    parameter: Parameters = None,
    approve: Annotated[
        list[str] | None,
        typer.Option(
            help="Say yes to an option, by heading or letter.", autocompletion=option_letters
        ),
    ] = None,
    option: Annotated[
        str,
        typer.Option(
            help="Choose this option whatever is recommended.", autocompletion=option_letters
        ),
    ] = "",
    limit_minutes: Annotated[float, typer.Option(min=0.1, help="The longest a run may take.")] = 30,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Run a runbook unattended: diagnose; with --approve, resolve.

    What is not approved is rehearsed. Exit code: 0 pass, 1 warn, 2 fail, 3 unknown or error.

    Example: runbook run queue_backlog --incident INC-2041 --approve A
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.incident.settle import how_to_settle
    from runbook_nb.runbook.packs import find_lab, has_lab
    from runbook_nb.runbook.runbook import Runbook
    from runbook_nb.runs.engine.progress import for_stream
    from runbook_nb.runs.run import Order
    from runbook_nb.runs.run import run as run_order
    from runbook_nb.timeline.alerts import read_alerts
    from runbook_nb.timeline.folder import incidents_folder

    found = read_alerts(alert)[0] if alert else None
    if name is None and found is None:
        message = "Name a runbook, or give the alert that finds one: runbook run --alert FILE."
        raise ParameterError(message)
    book = Runbook.find(name) if name else Runbook.for_alert(found)  # type: ignore[arg-type]
    given = given_parameters(parameter or [])
    order = Order(
        runbook=book,
        incidents=incidents or incidents_folder(),
        actor=by or actor(),
        incident=incident,
        alert=found,
        parameters=given,
        approve=approve or (),
        option=option,
        limit_s=limit_minutes * 60,
    )
    if book.environment(given) == LAB and has_lab():
        start_lab(say_to_errors, lab=find_lab(source=book.source()))
    done = run_order(order, progress=for_stream(sys.stderr if as_json else sys.stdout))
    if as_json:
        typer.echo(json.dumps(_run_facts(done), indent=2, default=str))
    else:
        typer.echo(
            f"\nIncident {done.incident}: {done.verdict}. Executed copy: {done.execution.notebook}"
        )
        for line in how_to_settle(done.incident, done.begun):
            typer.echo(line)
        _say_seen_before(done)
        typer.echo(f"Close it and make its record: runbook close {done.incident}")
    raise typer.Exit(EXIT_CODES[done.verdict])


@app.command()
def approve(
    incident: IncidentId,
    option: Annotated[
        str,
        typer.Argument(help="The option, by heading or letter.", autocompletion=option_letters),
    ],
    *,
    incidents: Incidents = None,
    by: Actor = "",
) -> None:
    """Say yes to an option of the incident's last run, for half an hour.

    Example: runbook approve INC-2041 "Option A"
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.runs.run import approve_last
    from runbook_nb.timeline.folder import incidents_folder

    event = approve_last(incidents or incidents_folder(), incident, option=option, by=by or actor())
    typer.echo(f"{event.by} approved {event.option!r} until {event.expires_at:%H:%M:%SZ}.")
    typer.echo("Resolve with the same parameters: runbook run --incident, in that time.")


def _say_seen_before(done: Any) -> None:
    """Name the past incident that was most like this one, where something is wrong."""
    from runbook_nb.record.history.similar import seen_before
    from runbook_nb.text.formatting import one_line

    if done.verdict is Verdict.PASS:
        return
    folder = done.timeline.folder.path
    for each in seen_before(folder, list(done.timeline), limit=1).similar:
        said = f"Seen before: {each.incident}, resolved by: {each.resolution}"
        typer.echo(f"{one_line(said, 400)}\nWhy, and others: runbook similar {done.incident}")


def _run_facts(done: Any) -> dict[str, Any]:
    """Return how the run ended, and where the incident stands after it."""
    from datetime import UTC, datetime

    from runbook_nb.incident.board import board_of
    from runbook_nb.incident.board.status import status_facts
    from runbook_nb.runbook.runbook import Runbook

    board = board_of(done.timeline, Runbook.read(done.context.notebook), now=datetime.now(UTC))
    return {
        **status_facts(board),
        "incident": done.incident,
        "run": done.context.run,
        "verdict": done.verdict,
        "rank": VERDICTS_BY_RANK.index(done.verdict),
        "complete": done.execution.complete,
        "reason": done.execution.reason,
        "stopped_at": done.execution.stopped_at,
        "notebook": str(done.execution.notebook),
        "begun": [attempt.acting.title for attempt in done.begun],
        "took_s": round(done.execution.took_s, 3),
    }
