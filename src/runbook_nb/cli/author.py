"""Commands for authors: new, calls, import."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runbook_nb.cli.app import ERROR, EXIT_CODES, AsJson, app, say_to_errors, warn_of_packs
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.authoring.importer import Collection, Gap, Imported


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name, such as cache_stampede.")],
    *,
    title: Annotated[str, typer.Option(help="Its title; the name in words by default.")] = "",
    scenario: Annotated[str, typer.Option(help="What fails, in one sentence.")] = "",
    severity: Annotated[str, typer.Option(help="A severity of organisation.toml.")] = "",
    owner: Annotated[str, typer.Option(help="The squad that owns it.")] = "",
    group: Annotated[str, typer.Option(help="The group where it is listed.")] = "",
    fault: Annotated[str, typer.Option(help="The fault of its first drill.")] = "",
    alert: Annotated[list[str] | None, typer.Option(help="An alert it answers.")] = None,
    contact: Annotated[list[str] | None, typer.Option(help="An address to call.")] = None,
    as_json: AsJson = False,
) -> None:
    """Begin a runbook from the template: the pair, a control drill and a drill with one fault.

    Example: runbook new cache_stampede --severity SEV2 --fault cache_cold
    """
    from runbook_nb.authoring.importer import NewRunbook, begin
    from runbook_nb.runbook.folders import own_runbooks_folder

    wanted = NewRunbook(
        name=name,
        title=title,
        scenario=scenario,
        severity=severity,
        owner=owner,
        group=group,
        fault=fault,
        alerts=tuple(alert or ()),
        escalation=tuple(contact or ()),
    )
    begun = begin(wanted, folder=own_runbooks_folder(begin=True), now=datetime.now(UTC))
    if as_json:
        facts = {"files": [*map(str, begun.files)], "gaps": [vars(gap) for gap in begun.gaps]}
        return typer.echo(json.dumps(facts, indent=2))
    for file in begun.files:
        typer.echo(f"written: {file}")
    typer.echo(f"\n{len(begun.gaps)} things to fill in:")
    _list(begun.path, begun.gaps)
    typer.echo(
        "\n`runbook calls` lists the probes and actions there are."
        f"\nNext: edit {begun.path.name}, not its notebook, and what the drills say; then\n"
        f"  runbook fmt {name}                   writes header, log and notebook\n"
        f"  runbook lint {name}                  says what is still missing\n"
        f"  runbook drill {name} --fault none    must find nothing"
    )
    return None


@app.command("import")
def import_(
    file: Annotated[
        list[Path],
        typer.Argument(help="Markdown, HTML, AsciiDoc, reST, notebooks; or folders of them."),
    ],
    *,
    to: Annotated[
        Path | None, typer.Option(help="The folder for the draft; the project's drafts by default.")
    ] = None,
    name: Annotated[str, typer.Option(help="Its name; from the file by default.")] = "",
    split: Annotated[bool, typer.Option("--split", help="One draft for each heading.")] = False,
    alerts: Annotated[
        Path | None, typer.Option(help="Your alerts' rules, which give checks their limits.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make drafts of runbooks that exist, and list what they lack; nothing in them is run.

    Commands become manual steps, and checks beside them where a probe can ask the same;
    placeholders become parameters. A guess runs only after you have filled it in. A draft stands
    apart from the runbooks, so that no alert finds it before its author moves it. Exit code 1 when
    it has gaps.

    Example: runbook import wiki/cache.md --to drafts

    Example: runbook import wiki --alerts rules.yml
    """
    from runbook_nb.authoring import importer
    from runbook_nb.errors import ParameterError
    from runbook_nb.runbook.catalog.alert_rules import read_alert_rules
    from runbook_nb.runbook.folders import own_runbooks_folder

    if split and name:
        message = "--name names one draft, and --split makes several. Leave one of them out."
        raise ParameterError(message)
    own, now = own_runbooks_folder(begin=True), datetime.now(UTC)
    rules = read_alert_rules(alerts) if alerts else []
    folder = to or _drafts_folder()
    files = importer.sources_of(file)
    if len(files) > 1 or file[0].is_dir():
        if split or name:
            message = "--name and --split are for one file. Leave them out, or name that file."
            raise ParameterError(message)
        found = importer.import_all(files, to=folder, runbooks=own, now=now, rules=rules)
        return _end_collection(found, as_json=as_json)
    source = importer.read_source(files[0])
    sources = importer.split(source) if split else [source]
    drafts = [importer.draft(one, runbooks=own, now=now, name=name, rules=rules) for one in sources]
    written = importer.write_drafts(drafts, to=folder, runbooks=own, now=now)
    if as_json:
        typer.echo(json.dumps({"drafts": [one.facts() for one in written]}, indent=2))
    else:
        _report(written)
    if any(one.gaps for one in written):
        raise typer.Exit(EXIT_CODES[Verdict.WARN])
    return None


def _end_collection(found: "Collection", *, as_json: bool) -> None:
    """Report what became of many files; the exit code is 1 with gaps, and 3 without a draft."""
    refused = [{"file": str(one.path), "why": one.why} for one in found.refused]
    if as_json:
        drafts = [one.facts() for one in found.imported]
        typer.echo(json.dumps({"drafts": drafts, "refused": refused}, indent=2))
    else:
        for one in found.imported:
            typer.echo(_written(one))
        for each in refused:
            typer.echo(f"refused: {each['why']}")
        checked = sum(bool(one.draft.checks) for one in found.imported)
        typer.echo(
            f"\n{len(found.imported)} drafts, {checked} of them with a check; {len(refused)} "
            f"refused. {_effects(found.imported)}. Nothing was run.\n"
            "Next: `runbook import` of one file, or `runbook lint` of a draft, lists its gaps."
        )
    if not found.imported:
        raise typer.Exit(ERROR)
    if refused or any(one.gaps for one in found.imported):
        raise typer.Exit(EXIT_CODES[Verdict.WARN])


@app.command()
def calls(
    word: Annotated[str, typer.Argument(help="A system, or a word of what it is about.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """List the probes and actions that a runbook may call; nothing is called.

    Example: runbook calls jobs
    """
    from runbook_nb.authoring.lint.call_registry import CallRegistry
    from runbook_nb.errors import ParameterError

    known = CallRegistry()
    warn_of_packs()
    for problem in known.problems():
        say_to_errors(problem)
    offered = [one for one in known.offered() if _speaks_of(one.line + one.about, word)]
    if not offered:
        message = f"No probe or action speaks of {word!r}. All of them: runbook calls"
        raise ParameterError(message)
    if as_json:
        facts = [
            {"call": one.line, "says": one.says, "about": one.about, "package": one.package}
            for one in offered
        ]
        return typer.echo(json.dumps(facts, indent=2))
    for package, calls_of in groupby(offered, key=lambda one: one.package):
        typer.echo(f"from {package} import …\n")
        for one in calls_of:
            typer.echo(f"{one.line}\n    {one.says}: {one.about}")
    return None


def _drafts_folder() -> Path:
    from runbook_nb.project import Project

    project = Project.find()
    return (project.root if project else Path.cwd()) / "drafts"


def _speaks_of(text: str, word: str) -> bool:
    return word.casefold() in text.casefold()


def _report(written: "Sequence[Imported]") -> None:
    for one in written:
        typer.echo(_written(one))
        _list(one.path, one.gaps)
    typer.echo(
        "\nNothing was run. Next: close the gaps in the .md, read each guess, move both files to "
        "the runbooks, then run `runbook fmt` and `runbook lint`."
    )


def _written(one: "Imported") -> str:
    return (
        f"written: {one.path} and its notebook. {len(one.draft.steps)} commands "
        f"({_effects([one])}), {len(one.draft.checks)} checks, "
        f"{len(one.draft.parameters)} parameters, {len(one.gaps)} gaps."
    )


def _effects(written: "Sequence[Imported]") -> str:
    """Return how many commands read, change, and are not known, of all drafts together."""
    from runbook_nb.authoring.commands import Effect

    counted = Counter(step.effect for one in written for step in one.draft.steps)
    return "guessed: " + ", ".join(f"{counted[effect]} {effect}" for effect in Effect)


def _list(path: Path, gaps: "Sequence[Gap]") -> None:
    """Print a line for each gap; how to close a kind of gap is said once."""
    told: set[str] = set()
    for gap in gaps:
        fix = "" if gap.kind in told else gap.fix
        told.add(gap.kind)
        typer.echo(f"{path}:{gap.line} {gap.kind} {gap.what} {fix}".rstrip())
