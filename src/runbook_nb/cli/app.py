"""The command's root, what its parts share, and its exit codes."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from runbook_nb.errors import LabError, ParameterError
from runbook_nb.timeline.events import Verdict

EXIT_CODES: Final = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2, Verdict.UNKNOWN: 3}
ERROR: Final = EXIT_CODES[Verdict.UNKNOWN]

app = typer.Typer(
    name="runbook",
    help="Runbooks that run. Begin with: runbook drill",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
IncidentId = Annotated[str, typer.Argument(help="The incident, such as INC-2041.")]
Incidents = Annotated[
    Path | None,
    typer.Option("--incidents", envvar="RUNBOOK_INCIDENTS", help="The folder of all incidents."),
]
Actor = Annotated[
    str, typer.Option("--as", envvar="RUNBOOK_ACTOR", help="Who acts; the user by default.")
]


def start_lab(say: Callable[[str], None]) -> None:
    """Start the lab unless its processes run.

    A lab that is slow or sick is left as it is: it is for a runbook to find out why, and a fresh
    start would throw away what it is to look at.
    """
    try:
        from runbook_nb.packs.control_plane.lab.lab import Lab
    except ModuleNotFoundError as error:
        message = f"The lab needs {error.name}. Install it: pip install 'runbook-nb[lab]'"
        raise LabError(message) from error

    lab = Lab()
    state = lab.status()
    base = {part.name: part.running for part in state.parts} if state else {}
    if not (base.get("postgres") and base.get("services")):
        lab.up(progress=say)


def say_to_errors(text: str) -> None:
    """Print to the error stream, so that the output stays for a machine."""
    typer.echo(text, err=True)


def given_parameters(pairs: list[str]) -> dict[str, str]:
    """Return parameters written as name=value; raises ParameterError for anything else."""
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            message = f"-p {pair}: write a parameter as name=value."
            raise ParameterError(message)
        given[name.strip()] = value
    return given
