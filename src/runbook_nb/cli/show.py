"""Commands for runbooks: show, fmt."""

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_nb.cli.app import EXIT_CODES, AsJson, Parameters, app, say
from runbook_nb.cli.completion import runbook_names
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.runbook.policy import Policy


class Take(StrEnum):
    """Which file of a pair holds."""

    MARKDOWN = "markdown"
    NOTEBOOK = "notebook"


RunbookName = Annotated[
    str, typer.Argument(help="The runbook.", autocompletion=runbook_names, show_default=False)
]


@app.command()
def show(
    name: RunbookName,
    *,
    parameter: Parameters = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    pager: Annotated[
        bool | None, typer.Option(help="Page it; on a terminal by default.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the steps of a runbook with their calls to copy; nothing is executed.

    Example: runbook show queue_backlog -p verify_within_s=300
    """
    from runbook_nb.cli.app import given_parameters
    from runbook_nb.runbook.catalog.page import as_markdown, as_text
    from runbook_nb.runbook.catalog.resolved_steps import shown_steps
    from runbook_nb.runbook.parameters import typed
    from runbook_nb.runbook.runbook import Runbook

    runbook = Runbook.find(name)
    values = typed(runbook, given_parameters(parameter or []))
    steps = shown_steps(runbook, values)
    if as_json:
        return typer.echo(json.dumps([step.facts() for step in steps], indent=2, default=str))
    entry = next(entry for entry in catalogue() if entry.name == name)
    if markdown:
        return typer.echo(as_markdown(entry, runbook, steps, values), nl=False)
    text = as_text(entry, runbook, steps, values)
    return (
        _page(text) if pager or (pager is None and _is_terminal()) else typer.echo(text, nl=False)
    )


@app.command()
def fmt(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Runbooks; all by default.", autocompletion=runbook_names),
    ] = None,
    *,
    check: Annotated[bool, typer.Option(help="Change nothing; fail if something would.")] = False,
    take: Annotated[
        Take | None, typer.Option(help="Which file holds when the notebook was edited too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write header and log from the front matter, the notebook from the Markdown, and the index.

    The index of all runbooks is that of the README beside their folder. A notebook that was edited
    is not overwritten: the difference is shown, and --take says which of the two holds.

    Example: runbook fmt --check
    """
    from runbook_nb.errors import ParameterError
    from runbook_nb.runbook.folders import own_runbooks_folder
    from runbook_nb.runbook.pair import out_of_date

    if take and (check or not names):
        message = "--take decides for runbooks that are named, and not with --check."
        raise ParameterError(message)
    folder = own_runbooks_folder()
    paths = [_markdown(folder, name) for name in names or []] or sorted(folder.glob("*.md"))
    changed, conflicts = [], []
    for path in paths:
        files = out_of_date(path) if check else _written(path, take, quiet=as_json)
        conflicts += [path] if files is None else []
        changed += files or []
    readme = folder.parent / "README.md"
    if has_index(readme) and write_index(readme, check=check):
        changed.append(readme)
    word = "out of date" if check else "written"
    lines = [f"{word}: {file}" for file in changed]
    if lines or as_json:
        facts = {word.replace(" ", "_"): [*map(str, changed)], "conflicts": [*map(str, conflicts)]}
        say("\n".join(lines), facts=facts, as_json=as_json)
    if conflicts or (check and changed):
        raise typer.Exit(EXIT_CODES[Verdict.FAIL])


def _markdown(folder: Path, name: str) -> Path:
    """Return the Markdown of a runbook, which may have no notebook yet."""
    from runbook_nb.runbook.runbook import Runbook

    path = folder / f"{name}.md"
    return path if path.is_file() else Runbook.find(name).path.with_suffix(".md")


def _written(path: Path, take: Take | None, *, quiet: bool) -> list[Path] | None:
    """Bring a pair up to date; on a conflict show the difference, if wanted, and return None."""
    from runbook_nb.errors import PairConflictError
    from runbook_nb.runbook.pair import take_notebook, write

    if take is Take.NOTEBOOK:
        take_notebook(path)
    try:
        return write(path, discard=take is not None)
    except PairConflictError as error:
        if quiet:
            return None
        typer.echo(error.diff)
        typer.echo(
            f"{error} Nothing of it was written. Keep one of them:\n"
            f"  runbook fmt {path.stem} --take notebook   the + lines\n"
            f"  runbook fmt {path.stem} --take markdown   the - lines"
        )
        return None


def catalogue() -> list[Any]:
    """Return the catalogue of today; a policy that cannot be read is named and passed over."""
    from runbook_nb.runbook import runbooks_folder
    from runbook_nb.runbook.policy import policy_or_default

    policy = policy_or_default(runbooks_folder())
    if policy.problem:
        typer.echo(policy.problem, err=True)
    return _catalogue(policy)


def has_index(readme: Path) -> bool:
    """Tell whether a README has a place for the index."""
    from runbook_nb.runbook.catalog.readme import BEGIN

    return readme.is_file() and BEGIN in readme.read_text(encoding="utf-8")


def write_index(readme: Path, *, check: bool) -> bool:
    """Bring a README's index up to date, or only look; return whether it differed."""
    from runbook_nb.runbook import runbooks_folder
    from runbook_nb.runbook.catalog.readme import with_index
    from runbook_nb.runbook.policy import read_policy
    from runbook_nb.text.files import write_atomically

    text = readme.read_text(encoding="utf-8")
    # An index by the defaults would lose every group: this one needs the policy.
    wanted = with_index(text, _catalogue(read_policy(runbooks_folder())))
    if wanted != text and not check:
        write_atomically(readme, wanted)
    return wanted != text


def _catalogue(policy: "Policy") -> list[Any]:
    from runbook_nb.runbook import runbooks_folder
    from runbook_nb.runbook.catalog import read_entries

    return read_entries(runbooks_folder(), policy=policy, today=datetime.now(UTC).date())


def _page(text: str) -> None:
    """Show a text in the pager that the user has chosen."""
    import pydoc

    pydoc.pager(text)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
