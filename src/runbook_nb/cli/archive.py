"""The command archive, and the part of list that finds incidents."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runbook_nb.cli.app import ERROR, EXIT_CODES, Actor, AsJson, Incidents, app
from runbook_nb.cli.completion import incident_ids
from runbook_nb.errors import ParameterError
from runbook_nb.timeline.events import Verdict

_SHOWN: Final = 20  # incidents with something wrong; the archive lists all

if TYPE_CHECKING:
    from runbook_nb.record.history import IncidentLine, IncidentQuery, QueryResult
    from runbook_nb.record.site import Built


@app.command()
def archive(
    incident: Annotated[
        str | None,
        typer.Argument(
            help="Make this record anew; without one, build the site.", autocompletion=incident_ids
        ),
    ] = None,
    *,
    to: Annotated[
        Path | None,
        typer.Option(help="Where the site goes; beside the incidents by default.", metavar="DIR"),
    ] = None,
    because: Annotated[
        str, typer.Option(help="Why a record that was changed is sealed as it is now.")
    ] = "",
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Build the archive of all incidents as a static site, or make one record anew.

    A record that is not as it was sealed is sealed anew only with a reason, which stays in it. The
    site needs no network: open its index.html, or take the folder elsewhere. A rebuild touches
    only what changed. Exit code: 0, or 1 where a record is not whole.

    Example: runbook archive --to /media/usb/archive
    """
    from runbook_nb.timeline.folder import incidents_folder

    folder = incidents or incidents_folder()
    if incident is not None:
        return _one(folder, incident, to=to, because=because, by=by, as_json=as_json)
    from runbook_nb.record.site import build

    with shown_progress() as watch:
        built = build(
            folder,
            to or folder.with_name(f"{folder.name}-archive"),
            reading=watch("Reading timelines"),
            proving=watch("Proving records"),
        )
    for line in [json.dumps(_facts(built), indent=2)] if as_json else _lines(built):
        typer.echo(line)
    if built.wrong:
        raise typer.Exit(EXIT_CODES[Verdict.WARN])
    return None


def list_incidents(wanted: "IncidentQuery", *, folder: Path | None, as_json: bool) -> None:
    """Print the incidents that are wanted; exits with 3 where none is."""
    from runbook_nb.record.history import History
    from runbook_nb.timeline.folder import incidents_folder

    place = folder or incidents_folder()
    _refuse(place, wanted.text)
    history = History(place)
    with shown_progress() as watch:
        history.refresh(watch("Reading timelines"))
    found = history.search(wanted)
    history.close()
    if as_json:
        typer.echo(json.dumps([_line_facts(line, found) for line in found.lines], indent=2))
    else:
        _print_found(found, wanted, place)
    if not found.total:
        raise typer.Exit(ERROR)


@contextmanager
def shown_progress() -> Iterator[Callable[[str], Callable[[int, int], None]]]:
    """Show how far a long work is, on a terminal alone; nothing where nothing is to be done."""
    from runbook_nb.record.history.history import unwatched

    if not sys.stderr.isatty():
        yield lambda _: unwatched
        return
    from rich.console import Console
    from rich.progress import Progress, TaskID

    with Progress(console=Console(stderr=True), transient=True) as bars:
        begun: dict[str, TaskID] = {}

        def watch(name: str) -> Callable[[int, int], None]:
            def told(done: int, total: int) -> None:
                if name not in begun:
                    begun[name] = bars.add_task(name, total=total)
                bars.update(begun[name], completed=done + 1)

            return told

        yield watch


def _one(
    folder: Path, incident: str, *, to: Path | None, because: str, by: str, as_json: bool
) -> None:
    from runbook_nb.cli.close import warn_unsigned
    from runbook_nb.incident.context import actor
    from runbook_nb.record.close import remake

    if to is not None:
        message = f"--to is for the site. A record stays in its folder: runbook archive {incident}"
        raise ParameterError(message)
    done = remake(folder, incident, because=because, by=by or actor())
    facts = {"page": str(done.page), "head": done.sealed.digest}
    typer.echo(json.dumps(facts) if as_json else facts["page"])
    warn_unsigned(done)
    if not as_json:
        typer.echo(f"Head of the whole record: {facts['head']}", err=True)


def _refuse(folder: Path, text: str) -> None:
    """Refuse what was meant otherwise: elsewhere --incidents is followed by a folder."""
    if not folder.is_dir():
        message = f"There are no incidents: {folder} is no folder. Name it with --folder."
        raise ParameterError(message)
    first = text.split(" ", maxsplit=1)[0]
    if "/" in first and Path(first).is_dir():
        message = f"{first} is a folder: name it with --folder {first}. Words are looked for here."
        raise ParameterError(message)


def _print_found(found: "QueryResult", wanted: "IncidentQuery", folder: Path) -> None:
    from runbook_nb.text.formatting import counted, day_and_clock, one_line

    for line in found.lines:
        opened = day_and_clock(line.opened_at)[:16] if line.opened_at else "not known"
        drill = ", drill" if line.is_drill else ""
        state = f"{line.verdict}, {line.standing}{drill}"
        severity = one_line(line.severity, 10)
        typer.echo(
            f"{one_line(line.folder, 64):10} {opened:16} {severity:5} {state:20} "
            f"{one_line(line.title, 90)}".rstrip()
        )
        if line.problem:
            typer.echo(f"    NOT WHOLE: {one_line(line.problem)}")
        elif near := found.near.get(line.folder):
            typer.echo(f"    {one_line(near, 110)}")
    if not found.total:
        typer.echo(f"No incident in {folder} fits.")
    elif found.total > len(found.lines):
        more = "" if wanted.limit == 0 else " All of them: --limit 0"
        typer.echo(f"{len(found.lines):,} of {counted(found.total, 'incident')}.{more}")


def _line_facts(line: "IncidentLine", found: "QueryResult") -> dict[str, Any]:
    return {
        "incident": line.folder,
        "title": line.title,
        "severity": line.severity,
        "verdict": line.verdict,
        "status": line.standing,
        "drill": line.is_drill,
        "runbooks": list(line.runbooks),
        "opened_at": line.opened_at.isoformat() if line.opened_at else None,
        "closed_at": line.closed_at.isoformat() if line.closed_at else None,
        "resolution": line.resolution,
        "summary": line.summary,
        "near": found.near.get(line.folder, ""),
        "problem": line.problem,
    }


def _facts(built: "Built") -> dict[str, Any]:
    return {
        "index": str(built.index),
        "incidents": built.incidents,
        "records": list(built.records),
        "pages": list(built.pages),
        "removed": list(built.removed),
        "not_whole": {name: list(problems) for name, problems in built.wrong.items()},
    }


def _lines(built: "Built") -> Iterator[str]:
    from runbook_nb.text.formatting import counted

    for name, problems in list(built.wrong.items())[:_SHOWN]:
        yield f"{name}: {' '.join(problems)}"
    touched = f"{counted(len(built.records), 'record')} and {counted(len(built.pages), 'page')}"
    total = counted(built.incidents, "incident")
    yield f"{total}. Touched {touched}; removed {len(built.removed)}."
    if built.wrong:
        yield f"Not whole: {len(built.wrong):,}. The archive lists each with what is wrong."
    yield f"Open {built.index}"
