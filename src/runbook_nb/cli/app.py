"""The command's root, what its parts share, and its exit codes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from runbook_nb.errors import ParameterError
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.runbook.lab import Lab

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


def start_lab(say: Callable[[str], None], *, lab: "Lab | None" = None) -> None:
    """Start a lab unless its processes run; that of the packs in use by default.

    A lab that is slow or sick is left as it is: it is for a runbook to find out why, and a fresh
    start would throw away what it is to look at.
    """
    from runbook_nb.runbook.packs import find_lab

    lab = lab or find_lab()
    state = lab.status()
    if state is None or not state.started:
        lab.up(progress=say)


def warn_of_packs() -> None:
    """Name each pack that cannot be used, with the reason; the others go on."""
    from runbook_nb.runbook.packs import packs_in_use, problems_of

    for problem in problems_of(packs_in_use()):
        say_to_errors(problem)


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
