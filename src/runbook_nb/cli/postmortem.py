"""Commands that look back: postmortem, diff, similar."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_nb.cli.app import EXIT_CODES, AsJson, IncidentId, Incidents, app, say
from runbook_nb.cli.completion import incident_ids
from runbook_nb.errors import ParameterError

if TYPE_CHECKING:
    from runbook_nb.record.postmortem import Comparison
    from runbook_nb.record.postmortem.diff import CheckResult


@app.command()
def postmortem(
    incident: IncidentId,
    *,
    to: Annotated[
        str, typer.Option(help="The file; - prints it. Beside the record by default.")
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Overwrite an edited draft.")] = False,
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """Draft the postmortem of an incident as Markdown; what the record does not know is a question.

    An edited draft is not overwritten. People stand in it by their roles.

    Example: runbook postmortem INC-2041
    """
    from runbook_nb.record.facts import Record, read_events
    from runbook_nb.record.history.similar import seen_before
    from runbook_nb.record.postmortem import draft_postmortem, write_draft
    from runbook_nb.record.postmortem.draft import FILE
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.incidents import find

    timeline = find(incidents or incidents_folder(), incident)
    events, _ = read_events(timeline)
    before = seen_before(timeline.folder.path, events).similar
    draft = draft_postmortem(Record.of(timeline), events, before=before)
    if to == "-":
        facts = {"incident": incident, "draft": draft}
        return say(draft.removesuffix("\n"), facts=facts, as_json=as_json)
    path = Path(to) if to else timeline.folder.incidents.path / f"{incident}.{FILE}"
    write_draft(path, draft, force=force)
    facts = {"incident": incident, "written": str(path)}
    return say(f"written: {path}", facts=facts, as_json=as_json)


@app.command()
def diff(
    first: Annotated[
        str,
        typer.Argument(
            help="A run: INC-2041, INC-2041/2, or its whole id.", autocompletion=incident_ids
        ),
    ],
    second: Annotated[
        str, typer.Argument(help="The run it is compared with.", autocompletion=incident_ids)
    ] = "",
    *,
    validation: Annotated[
        bool, typer.Option("--validation", help="Compare with the runbook's last validation.")
    ] = False,
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs of one runbook: verdicts, values, choices, actions, and its text.

    Exit code: 0 the same but for values and durations, 1 another choice, action, parameter or
    text, 2 other verdicts, 3 nothing to compare.

    Example: runbook diff INC-2033 INC-2041
    """
    from runbook_nb.record.postmortem import compare, find_run, last_validation
    from runbook_nb.timeline.folder import incidents_folder

    if bool(second) is validation:
        message = "Name a second run, or give --validation."
        raise ParameterError(message)
    folder = incidents or incidents_folder()
    one = find_run(folder, first)
    found = compare(one, last_validation(folder, one) if validation else find_run(folder, second))
    if as_json:
        typer.echo(json.dumps(_facts(found), indent=2))
    else:
        _print(found)
    raise typer.Exit(EXIT_CODES[found.verdict])


@app.command()
def similar(
    incident: IncidentId,
    *,
    drills: Annotated[bool, typer.Option("--drills", help="Count drills too.")] = False,
    limit: Annotated[int, typer.Option("-n", min=1, help="The most to show.")] = 5,
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """Show what was like an incident before it, why, and what resolved that.

    Like is what shares failed checks, the alert, or many words with it.

    Example: runbook similar INC-2041
    """
    from runbook_nb.record.facts import plain_facts, read_events
    from runbook_nb.record.history.similar import seen_before
    from runbook_nb.text.formatting import one_line
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.incidents import find

    timeline = find(incidents or incidents_folder(), incident)
    events, _ = read_events(timeline)
    before = seen_before(timeline.folder.path, events, drills=drills, limit=limit)
    if as_json:
        return typer.echo(json.dumps(plain_facts(before), indent=2))
    for each in before.similar:
        typer.echo(one_line(f"{each.incident} {each.title} ({each.opened_at:%Y-%m-%d %H:%MZ})"))
        typer.echo(f"  resolved by: {one_line(each.resolution, 1000)}")
        typer.echo(f"  like it: {one_line(each.why, 1000)}")
    if not before.similar:
        typer.echo(f"Nothing before {incident} was like it.")
    if before.caveat:
        typer.echo(before.caveat)
    return None


def _facts(found: "Comparison") -> dict[str, Any]:
    return {
        "verdict": found.verdict,
        "runs": [found.first.name, found.second.name],
        "runbook": found.first.started.runbook,
        **{
            name: [
                {"title": title, "first": asdict(one), "second": asdict(other)}
                for title, one, other in getattr(found, name)
            ]
            for name in ("checks", "verifications")
        },
        "facts": [asdict(fact) for fact in found.facts],
        "text": list(found.text),
    }


def _print(found: "Comparison") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from runbook_nb.text.formatting import one_line

    console = Console(highlight=False)
    console.print(Text(f"{found.first.started.runbook}: {found.first.name} ↔ {found.second.name}"))
    table = Table("", "step", "expected", found.first.incident, found.second.incident)
    for title, one, other in (*found.checks, *found.verifications):
        same = one.verdict is other.verdict
        expect = one.expect or other.expect
        cells = ["=" if same else "≠", title, expect, _said(one), _said(other)]
        table.add_row(*(Text(one_line(cell)) for cell in cells), style="" if same else "bold")
    console.print(table)
    for fact in found.facts:
        console.print(Text(one_line(f"{fact.what}: {fact.first} → {fact.second}")))
    if found.text:
        console.print(Text("\n".join(one_line(line, 400) for line in found.text)))


def _said(reading: "CheckResult") -> str:
    return f"{reading.verdict}: {reading.value}" if reading.verdict else reading.value
