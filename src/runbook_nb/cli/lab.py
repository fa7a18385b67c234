"""Commands for the lab and its drills."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_nb.cli.app import EXIT_CODES, AsJson, app, say, say_to_errors, start_lab
from runbook_nb.cli.completion import fault_names, runbook_names
from runbook_nb.errors import DrillError, ParameterError, near
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.record.site import MatrixCell
    from runbook_nb.runbook.drill import Drill

FaultName = Annotated[str, typer.Argument(help="The fault.", autocompletion=fault_names)]

lab_app = typer.Typer(
    help="The lab: a twin of the platform, to break on purpose.", no_args_is_help=True
)
app.add_typer(lab_app, name="lab")


@app.command()
def drill(
    name: Annotated[
        str | None,
        typer.Argument(
            help="The runbook, or a drill by its whole name; the first drill by default.",
            autocompletion=runbook_names,
            show_default=False,
        ),
    ] = None,
    *,
    fault: Annotated[
        str | None,
        typer.Option(help="The fault; none is the control.", autocompletion=fault_names),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Run all drills of all runbooks.")] = False,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Every fault against every runbook; nothing is done.")
    ] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Of the matrix, so many faults drawn at random.")
    ] = None,
    variations: Annotated[
        bool,
        typer.Option(
            "--variations", help="Diagnose alone, in every variation and look-alike of the drills."
        ),
    ] = False,
    times: Annotated[int, typer.Option(min=1, help="Repeat so many times.")] = 1,
    keep: Annotated[bool, typer.Option(help="Leave the lab running.")] = True,
    as_json: AsJson = False,
) -> None:
    """Break the lab on purpose and watch the runbook find and fix it.

    Starts the lab, injects a fault, lets the alert find the runbook, diagnoses, resolves,
    verifies, heals, and makes the record. With --matrix each runbook looks at each fault: it must
    name its own, point to the owner, or find that nothing here is its business. With --variations
    a runbook, or each with --all, diagnoses its faults in other shapes, and what only looks so.

    Example: runbook drill queue_backlog --fault worker_gone
    """
    from runbook_nb.authoring.drills import find_drills, lab_of
    from runbook_nb.authoring.drills.series import drill_all, first_drill

    tell: Callable[[str], None] = say_to_errors if as_json else typer.echo
    if name and (every or matrix or sample):
        message = f"--all, --matrix and --sample take every runbook: leave {name!r} out."
        raise ParameterError(message)
    if matrix or sample:
        return _matrix(fault, sample=sample, tell=tell, as_json=as_json)
    drills = find_drills() if every else find_drills(name, fault)
    if variations:
        return _variations(drills, times=times, tell=tell, as_json=as_json)
    if not every and None in (name, fault):
        drills = [first_drill(drills)]
    for each in drills:
        start_lab(tell, lab=lab_of(each))
    results = drill_all(drills, times=times, stream=sys.stderr if as_json else sys.stdout, say=tell)
    if not keep:
        lab_of(drills[0]).down()
    if as_json:
        typer.echo(json.dumps([result.facts() for result in results], indent=2))
    raise typer.Exit(0 if all(result.passed for result in results) else EXIT_CODES[Verdict.FAIL])


def _matrix(
    fault: str | None, *, sample: int | None, tell: Callable[[str], None], as_json: bool
) -> None:
    """Run the matrix, of one fault if it is named; exit 1 where an answer is wrong."""
    from runbook_nb.authoring.drills import find_drills, lab_of, owners_of, sampled

    drills = find_drills()
    known = owners_of(drills)
    if fault and fault not in known:
        message = f"No drill names the fault {fault!r}. {near(fault, known)}"
        raise DrillError(message)
    faults = sampled([fault] if fault else list(known), sample, seed=int(time.time()))
    start_lab(tell, lab=lab_of(drills[0]))
    cells = seen_and_kept(drills, faults, tell=tell)
    if as_json:
        typer.echo(json.dumps([asdict(cell) for cell in cells], indent=2))
    right = all(cell.is_right for cell in cells)
    raise typer.Exit(0 if right else EXIT_CODES[Verdict.FAIL])


def seen_and_kept(
    drills: "Sequence[Drill]", faults: Sequence[str], *, tell: Callable[[str], None]
) -> "list[MatrixCell]":
    """Run the matrix and keep it for the archive; of one that is cut off, what was seen."""
    from runbook_nb.authoring.drills import matrix_line, matrix_table, run_matrix
    from runbook_nb.record.site import keep_matrix
    from runbook_nb.timeline.folder import incidents_folder

    cells = []
    try:
        with closing(run_matrix(drills, faults)) as seen:
            for cell in seen:
                cells.append(cell)
                tell(matrix_line(cell))
    finally:
        if cells:
            # Kept before it is told: the reader may be gone.
            kept = keep_matrix(incidents_folder(), map(asdict, cells), at=datetime.now(UTC))
            tell(f"{matrix_table(cells)}\nKept for the archive: {kept}")
    return cells


def _variations(
    drills: "Sequence[Drill]", *, times: int, tell: Callable[[str], None], as_json: bool
) -> None:
    """Diagnose in each situation of these drills; exit 1 where one is not found as expected."""
    from runbook_nb.authoring.drills import lab_of, run_situations

    if not any(drill.situations for drill in drills):
        message = "These drills name no variation and no look-alike. See CONTRIBUTING, Prove it."
        raise DrillError(message)
    start_lab(tell, lab=lab_of(drills[0]))
    results = run_situations(drills, times=times, say=tell)
    if as_json:
        typer.echo(json.dumps([result.facts() for result in results], indent=2))
    wrong = any(result.problem for result in results)
    raise typer.Exit(EXIT_CODES[Verdict.FAIL] if wrong else 0)


@lab_app.command("up")
def lab_up(*, as_json: AsJson = False) -> None:
    """Start the lab, or say that it runs.

    Example: runbook lab up
    """
    from runbook_nb.runbook.packs import find_lab

    state = find_lab().up(progress=say_to_errors if as_json else typer.echo)
    facts = {"address": state.address, "ports": dict(state.ports)}
    say(f"The lab is up. {state.address}".rstrip(), facts=facts, as_json=as_json)


@lab_app.command("down")
def lab_down(*, as_json: AsJson = False) -> None:
    """Stop the lab and remove its data.

    Example: runbook lab down
    """
    from runbook_nb.runbook.packs import find_lab

    find_lab().down()
    say("The lab is down.", facts={"parts": {}}, as_json=as_json)


@lab_app.command("status")
def lab_status(*, as_json: AsJson = False) -> None:
    """Say of each part of the lab whether it runs and answers.

    Example: runbook lab status
    """
    from runbook_nb.runbook.packs import find_lab

    state = find_lab().status()
    parts: dict[str, Any] = {part.name: part.up for part in state.parts} if state else {}
    if as_json:
        typer.echo(json.dumps({"parts": parts, "ports": dict(state.ports) if state else {}}))
    else:
        for name, up in parts.items():
            typer.echo(f"{name:10} {'up' if up else 'DOWN'}")
        typer.echo("" if parts else "The lab is down. Start it with: runbook lab up", nl=not parts)
    raise typer.Exit(0 if parts and all(parts.values()) else EXIT_CODES[Verdict.FAIL])


@lab_app.command("inject")
def lab_inject(fault: FaultName, *, as_json: AsJson = False) -> None:
    """Inject a fault into the running lab, to see what a runbook makes of it.

    Example: runbook lab inject worker_gone
    """
    from runbook_nb.runbook.packs import find_fault, find_lab

    find_fault(find_lab(fault=fault), fault).inject()
    said = f"{fault} is in effect. Heal it with: runbook lab heal {fault}"
    say(said, facts={"fault": fault, "in_effect": True}, as_json=as_json)


@lab_app.command("heal")
def lab_heal(fault: FaultName, *, as_json: AsJson = False) -> None:
    """Take a fault back.

    Example: runbook lab heal worker_gone
    """
    from runbook_nb.runbook.packs import find_fault, find_lab

    find_fault(find_lab(fault=fault), fault).heal()
    say(f"{fault} is healed.", facts={"fault": fault, "in_effect": False}, as_json=as_json)
