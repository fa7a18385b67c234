"""The command's root, what its parts share, and its exit codes."""

import json
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from runbook_nb.cli.completion import incident_ids, parameter_names
from runbook_nb.errors import ParameterError
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.runbook.lab import Lab
    from runbook_nb.timeline.events import Event

EXIT_CODES: Final = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.FAIL: 2, Verdict.UNKNOWN: 3}
ERROR: Final = EXIT_CODES[Verdict.UNKNOWN]

app = typer.Typer(
    name="runbook",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]
IncidentId = Annotated[
    str, typer.Argument(help="The incident, such as INC-2041.", autocompletion=incident_ids)
]
OfIncident = Annotated[
    str | None,
    typer.Option("--incident", help="Join this incident, or open it.", autocompletion=incident_ids),
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        "--parameter",
        help="A parameter, name=value.",
        autocompletion=parameter_names,
        show_default=False,
    ),
]
Incidents = Annotated[
    Path | None,
    typer.Option("--incidents", envvar="RUNBOOK_INCIDENTS", help="The folder of all incidents."),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="The file of your key, made by `runbook key` or ssh-keygen; your own by default.",
    ),
]


def _tidy(name: str) -> str:
    from runbook_nb.runbook.people import tidy_name

    return tidy_name(name)


Actor = Annotated[
    str,
    typer.Option(
        "--as",
        envvar="RUNBOOK_ACTOR",
        help="A name for what no key signs; the user's by default.",
        callback=_tidy,
    ),
]


def _tell_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of a callback
    if wanted:
        typer.echo(f"runbook_nb {version_of('runbook-nb')}")
        raise typer.Exit


# What reads nothing but a record or an incident, and what makes a project.
_WITHOUT_RUNBOOKS: Final = frozenset(
    {
        "docs",
        "help",
        "init",
        "lab",
        "verify",
        "close",
        "discard",
        "settle",
        "archive",
        "postmortem",
        "diff",
        "similar",
    }
)
_WRITING: Final = frozenset({"new", "import", "fmt", "validate", "retire", "review"})


@app.callback()
def begin(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - told before anything else is looked at
        bool,
        typer.Option("--version", help="Say the version.", is_eager=True, callback=_tell_version),
    ] = False,
) -> None:
    """Runbooks that run. Begin with: runbook drill."""
    command = context.invoked_subcommand
    if command in _WITHOUT_RUNBOOKS or {"-h", "--help"} & {*sys.argv}:
        return
    from runbook_nb.project import Project
    from runbook_nb.runbook.folders import own_runbooks_folder, whose_runbooks

    if project := Project.find():
        project.put_on_path()
    if command in _WRITING:
        own_runbooks_folder(begin=command in ("new", "import"))
    elif told := whose_runbooks():
        say_to_errors(told)


def start_lab(say: Callable[[str], None], *, lab: "Lab | None" = None) -> bool:
    """Start a lab unless its processes run; that of the packs in use by default. Tell if it began.

    A lab that is slow or sick is left as it is: it is for a runbook to find out why, and a fresh
    start would throw away what it is to look at.
    """
    from runbook_nb.runbook.packs import find_lab

    lab = lab or find_lab()
    state = lab.status()
    if state is not None and state.started:
        return False
    lab.up(progress=say)
    return True


def warn_of_packs() -> None:
    """Name each pack that cannot be used, with the reason; the others go on."""
    from runbook_nb.runbook.packs import packs_in_use, problems_of

    for problem in problems_of(packs_in_use()):
        say_to_errors(problem)


def say(text: str, *, facts: Mapping[str, Any], as_json: bool) -> None:
    """Print what was done: in words, or as JSON for a machine."""
    typer.echo(json.dumps(facts, indent=2, default=str) if as_json else text)


def event_facts(incident: str, event: "Event") -> dict[str, Any]:
    """Return what was written on a timeline as JSON."""
    from runbook_nb.record.facts import plain_facts

    return {"incident": incident, "kind": event.kind, **plain_facts(event)}


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
