"""The command that makes a project."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from runbook_nb.cli.app import AsJson, app


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Its folder; this one by default.")] = Path(),
    *,
    as_json: AsJson = False,
) -> None:
    """Make a project: one runbook, a pack with two probes, an action and a lab, and two drills.

    Nothing that is there is overwritten. The sample is real: its lab is a queue with a worker.

    Example: runbook init runbooks
    """
    from runbook_nb.authoring.scaffold.new_project import begin_project

    made = begin_project(folder.resolve(), now=datetime.now(UTC))
    if as_json:
        facts = {"project": str(made.root), "files": [*map(str, made.files)]}
        return typer.echo(json.dumps(facts, indent=2))
    for file in made.files:
        typer.echo(f"written: {folder / file.relative_to(made.root)}")
    enter = "" if made.root == Path.cwd() else f"  cd {folder}\n"
    typer.echo(
        f"\n{made.root} is a project. Next:\n{enter}"
        f"  runbook lint                        says what is wrong with its runbooks\n"
        f"  runbook drill {made.runbook}         breaks its lab and repairs it\n"
        f"  runbook validate {made.runbook}      proves the runbook and writes so into it\n"
        f"  runbook new NAME                    begins a runbook of your own"
    )
    return None
