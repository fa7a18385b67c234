"""The command list: runbooks by group or symptom, and incidents by their words."""

import json
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from runbook_nb.cli.app import ERROR, AsJson, app
from runbook_nb.cli.archive import list_incidents
from runbook_nb.cli.completion import runbook_names
from runbook_nb.cli.show import catalogue, write_index
from runbook_nb.errors import ParameterError
from runbook_nb.timeline.events import Verdict

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@app.command("list")
def list_(
    query: Annotated[
        list[str] | None, typer.Argument(help="A symptom, or the text of an alert.")
    ] = None,
    *,
    readme: Annotated[
        Path | None, typer.Option(help="Bring the index in this README up to date.")
    ] = None,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="Find incidents instead; all words must fit.")
    ] = False,
    severity: Annotated[str, typer.Option(help="Only incidents of this severity.")] = "",
    runbook: Annotated[
        str, typer.Option(help="Only incidents of this runbook.", autocompletion=runbook_names)
    ] = "",
    verdict: Annotated[
        Verdict | None, typer.Option(help="Only incidents whose last readings say so.")
    ] = None,
    month: Annotated[str, typer.Option(help="Only incidents of this month, 2026-11.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only open incidents.")] = False,
    drills: Annotated[
        bool | None, typer.Option("--drills/--no-drills", help="Only drills, or without them.")
    ] = None,
    newest: Annotated[bool, typer.Option("--newest", help="Newest first, not best first.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many incidents; 0 for all.")] = 20,
    folder: Annotated[
        Path | None,
        typer.Option(envvar="RUNBOOK_INCIDENTS", help="The folder of all incidents."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the runbooks by group, or find the one that fits a symptom or an alert.

    What organisation.toml plans and nobody has written yet is listed as that. With --incidents,
    find incidents by their words, best first; without words, newest first.

    Example: runbook list "jobs wait"

    Example: runbook list --incidents "no worker ran" --severity SEV1
    """
    text = " ".join(query or [])
    if incidents:
        from runbook_nb.record.history import IncidentQuery, IncidentStanding

        wanted = IncidentQuery(
            text=text,
            severity=severity,
            runbook=runbook,
            verdict=verdict or "",
            month=_month(month),
            standing=IncidentStanding.OPEN if is_open else None,
            drills=drills,
            newest=newest,
            limit=limit,
        )
        list_incidents(wanted, folder=folder, as_json=as_json)
    elif severity or runbook or verdict or month or is_open or newest or drills is not None:
        message = "That filters incidents: add --incidents. Runbooks are found by words alone."
        raise ParameterError(message)
    elif readme is not None:
        changed = write_index(readme, check=False)
        typer.echo(f"{'written' if changed else 'up to date'}: {readme}")
    elif text:
        _found(text, as_json=as_json)
    else:
        _all(as_json=as_json)


def _all(*, as_json: bool) -> None:
    from runbook_nb.runbook.catalog.listing import index_lines

    entries = catalogue()
    if as_json:
        typer.echo(json.dumps([entry.facts() for entry in entries], indent=2))
        return
    for line in index_lines(entries):
        typer.echo(line.rstrip())


def _found(query: str, *, as_json: bool) -> None:
    from runbook_nb.runbook.catalog import search
    from runbook_nb.runbook.catalog.coverage import alert_summaries
    from runbook_nb.runbook.catalog.listing import hit_lines

    hits = search(query, catalogue(), summaries=alert_summaries())
    if as_json:
        typer.echo(json.dumps([hit.facts() for hit in hits], indent=2))
    elif hits:
        for line in hit_lines(hits):
            typer.echo(line.rstrip())
    else:
        typer.echo(f"No runbook speaks of {query!r}. All of them: runbook list")
    if not hits:
        raise typer.Exit(ERROR)


def _month(text: str) -> str:
    if text and not _MONTH.fullmatch(text):
        message = f"--month {text}: write a month as 2026-11."
        raise ParameterError(message)
    return text
