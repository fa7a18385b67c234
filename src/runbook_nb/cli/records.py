"""Commands for records: close, archive, verify."""

from pathlib import Path
from typing import Annotated

import typer

from runbook_nb.cli.app import EXIT_CODES, Actor, IncidentId, Incidents, app
from runbook_nb.model import Verdict


@app.command()
def close(
    incident: IncidentId,
    *,
    resolution: Annotated[str, typer.Option(help="What ended it, in a sentence.")] = "",
    incidents: Incidents = None,
    by: Actor = "",
) -> None:
    """Close an incident and make its record, also after a run that was cut off.

    Example: runbook close INC-2041 --resolution "The export runs outside the loop now."
    """
    from runbook_nb.closing import close as close_incident
    from runbook_nb.context import actor, incidents_folder

    folder = incidents or incidents_folder()
    page = close_incident(folder, incident, by=by or actor(), resolution=resolution)
    typer.echo(f"{incident} is closed. Record: {page}")


@app.command()
def archive(incident: IncidentId, *, incidents: Incidents = None) -> None:
    """Make the record's page anew from the timeline and the runs.

    Example: runbook archive INC-2041
    """
    from runbook_nb.closing import remake
    from runbook_nb.context import incidents_folder

    typer.echo(str(remake(incidents or incidents_folder(), incident)))


@app.command()
def verify(path: Annotated[Path, typer.Argument(help="The folder of an incident.")]) -> None:
    """Prove that nobody altered a record; names what was.

    Example: runbook verify incidents/INC-2041
    """
    from runbook_nb.archive import verify_record

    problems = verify_record(path)
    for problem in problems:
        typer.echo(problem)
    if problems:
        raise typer.Exit(EXIT_CODES[Verdict.FAIL])
    typer.echo(f"{path}: every file and every event is as it was written.")
