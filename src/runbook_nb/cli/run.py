"""The command that runs a runbook: run."""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from runbook_nb.cli.app import (
    EXIT_CODES,
    Actor,
    AsJson,
    Incidents,
    KeyFile,
    OfIncident,
    Parameters,
    app,
    given_parameters,
    say_to_errors,
    start_lab,
)
from runbook_nb.cli.completion import option_letters, runbook_names
from runbook_nb.errors import ParameterError, RunbookError, RunbookNotFoundError
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline.events import VERDICTS_BY_RANK, Verdict
from runbook_nb.timeline.queries import worst

if TYPE_CHECKING:
    from runbook_nb.runs.delivery import AlertGroup, SortedDelivery
    from runbook_nb.runs.run import Order, Run


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
    symptom: Annotated[
        str, typer.Option(help="What somebody said is wrong, in their words; kept in the record.")
    ] = "",
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
    key: KeyFile = None,
    limit_minutes: Annotated[float, typer.Option(min=0.1, help="The longest a run may take.")] = 30,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Run a runbook unattended: diagnose; with --approve, resolve.

    What is not approved is rehearsed; outside of the lab, --approve is signed with your key.

    Each alert of a delivery gets the run of its runbook, or is
    named; what is resolved is noted. Exit code, the worst of all: 0 pass, 1 warn, 2 fail,
    3 unknown, an error, or an alert that nobody answers.

    Example: runbook run queue_backlog --incident INC-2041 --approve A
    """
    from runbook_nb.incident.context import actor
    from runbook_nb.runbook.runbook import Runbook
    from runbook_nb.runs.delivery import AlertGroup, note_cleared, sort_delivery
    from runbook_nb.runs.run import Order
    from runbook_nb.timeline.alerts import firing_of, read_delivery
    from runbook_nb.timeline.folder import incidents_folder

    folder, who = incidents or incidents_folder(), by or actor()
    given = given_parameters(parameter or [])
    book = Runbook.find(name) if name else None
    order = partial(
        Order,
        incidents=folder,
        actor=who,
        incident=incident,
        reported=symptom,
        parameters=given,
        approve=approve or (),
        option=option,
        limit_s=limit_minutes * 60,
        key=key,
    )
    if alert is None:
        if book is None:
            message = "Name a runbook, or give the alert that finds one: runbook run --alert FILE."
            raise ParameterError(message)
        _finish([_run(order, AlertGroup(runbook=book, alerts=()), as_json=as_json)], as_json)
    delivery = read_delivery(alert)
    note_cleared(delivery.cleared, incidents=folder, parameters=given, by=who, say=say_to_errors)
    found = sort_delivery(delivery, runbook=book)
    if delivery.firing and not found.groups:
        raise RunbookNotFoundError(" ".join(found.unanswered))
    if not delivery.cleared:
        firing_of(delivery, alert)
    if delivery.firing or found.unanswered:
        runs, unanswered = _answer(order, found, as_json=as_json)
        _finish(runs, as_json, unanswered=unanswered)


def _answer(
    order: "Callable[..., Order]", found: "SortedDelivery", *, as_json: bool
) -> tuple[list["Run"], list[str]]:
    """Run the runbook of each group; one that cannot be run is named, and the others are run."""
    runs, unanswered = list["Run"](), list(found.unanswered)
    for group in found.groups:
        try:
            runs.append(_run(order, group, as_json=as_json))
        except RunbookError as error:
            if len(found.groups) == 1:
                raise
            names = ", ".join(one_line(alert.name) for alert in group.alerts)
            unanswered.append(f"{names}: {error}")
    return runs, unanswered


def _run(order: "Callable[..., Order]", group: "AlertGroup", *, as_json: bool) -> "Run":
    from runbook_nb.probes.environment import Environment
    from runbook_nb.runbook.packs import find_lab, has_lab
    from runbook_nb.runs.engine.progress import for_stream
    from runbook_nb.runs.run import run as run_order

    first, also = next(iter(group.alerts), None), group.alerts[1:]
    asked = order(runbook=group.runbook, alert=first, also=also)
    if group.runbook.environment(asked.parameters or {}) == LAB and has_lab():
        start_lab(say_to_errors, lab=find_lab(source=group.runbook.source()))
    for said in Environment.load(group.runbook.environment(asked.parameters or {})).weak_secrets():
        say_to_errors(said)
    return run_order(asked, progress=for_stream(sys.stderr if as_json else sys.stdout))


def _finish(runs: list["Run"], as_json: bool, *, unanswered: Sequence[str] = ()) -> NoReturn:  # noqa: FBT001 - the option of the command
    """Say what became of each run, name what nobody answered, and exit by the worst."""
    from runbook_nb.incident.settle import how_to_settle

    verdicts = [done.verdict for done in runs] + [Verdict.UNKNOWN for _ in unanswered]
    if as_json:
        first, *others = [_run_facts(done) for done in runs] or [{}]
        facts = {**first, "also": others, "unanswered": list(unanswered)}
        typer.echo(json.dumps(facts, indent=2, default=str))
    else:
        for done in runs:
            where = f"Executed copy: {done.execution.notebook}"
            typer.echo(f"\nIncident {done.incident}: {done.verdict}. {where}")
            for line in how_to_settle(done.incident, done.begun):
                typer.echo(line)
            _say_seen_before(done)
            typer.echo(f"Close it and make its record: runbook close {done.incident}")
    for said in unanswered:
        say_to_errors(f"Not answered: {said}")
    raise typer.Exit(EXIT_CODES[worst(verdicts)])


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
