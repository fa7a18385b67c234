"""Commands of a team's own baseline: take, diff, accept."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from runbook_nb.cli.app import EXIT_CODES, Actor, AsJson, app
from runbook_nb.cli.completion import baseline_parts
from runbook_nb.timeline.events import Verdict

baseline_app = typer.Typer(
    help="What your platform should be: taken of a healthy one, reviewed, kept in notebooks/.",
    no_args_is_help=True,
)
app.add_typer(baseline_app, name="baseline")

Of = Annotated[
    str, typer.Option("-e", "--environment", help="The environment whose baseline it is.")
]
Parts = Annotated[
    list[str] | None,
    typer.Argument(help="Parts of it; all by default.", autocompletion=baseline_parts),
]


@baseline_app.command()
def take(
    parts: Parts = None,
    *,
    environment: Of,
    anew: Annotated[bool, typer.Option("--anew", help="Replace what was taken before.")] = False,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Read what the platform is, and write it down as what it should be. Take a healthy one.

    Nothing of the platform is changed. Commit the files, and have them reviewed.

    Example: runbook baseline take -e staging
    """
    from runbook_nb.authoring import baselines
    from runbook_nb.incident.context import actor
    from runbook_nb.probes.environment import Environment
    from runbook_nb.project import demand_project

    taken = baselines.take(
        demand_project(),
        baselines.parts_in_use(parts or ()),
        of=Environment.load(environment),
        by=by or actor(),
        at=datetime.now(UTC),
        anew=anew,
    )
    if as_json:
        return typer.echo(json.dumps([each.facts() for each in taken], indent=2))
    for each in taken:
        typer.echo("\n".join(baselines.taken_lines(each)))
    typer.echo("Next: read the files, commit them, and have them reviewed.")
    return None


@baseline_app.command()
def diff(parts: Parts = None, *, environment: Of, as_json: AsJson = False) -> None:
    """Say where the platform is not as committed, by what it means and not by its words.

    Without a baseline of your own it is held against what the pack brings.
    Exit code: 0 nothing differs, 2 something does.

    Example: runbook baseline diff policies -e staging
    """
    from runbook_nb.authoring import baselines
    from runbook_nb.probes.environment import Environment
    from runbook_nb.project import Project

    compared = baselines.compare(
        Project.find(),
        baselines.parts_in_use(parts or ()),
        of=Environment.load(environment),
        today=datetime.now(UTC).date(),
    )
    if as_json:
        typer.echo(json.dumps([each.facts() for each in compared], indent=2))
    else:
        for each in compared:
            typer.echo("\n".join(baselines.compared_lines(each)))
    if any(each.differences for each in compared):
        raise typer.Exit(EXIT_CODES[Verdict.FAIL])


@baseline_app.command()
def accept(
    part: Annotated[str, typer.Argument(help="The part.", autocompletion=baseline_parts)],
    items: Annotated[list[str], typer.Argument(help="What differs, as `diff` names it.")],
    *,
    environment: Of,
    because: Annotated[str, typer.Option(help="Why this is right, or why it is lived with.")],
    until: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The last day of it; from now on right without."),
    ] = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Accept what differs, as it is now: until a day, or as what should be from now on.

    Nothing of the platform is changed. Commit the file, and have it reviewed.

    Example: runbook baseline accept jobs weekly_report -e lab --because "RUN-91"
    """
    from runbook_nb.authoring import baselines
    from runbook_nb.incident.context import actor
    from runbook_nb.probes.environment import Environment
    from runbook_nb.project import demand_project

    (named,) = baselines.parts_in_use([part])
    file = baselines.accept(
        demand_project(),
        named,
        items,
        of=Environment.load(environment),
        because=because,
        by=by or actor(),
        at=datetime.now(UTC),
        until=until.date() if until else None,
    )
    if as_json:
        facts = {"file": str(file), "accepted": items, "until": until and f"{until:%Y-%m-%d}"}
        return typer.echo(json.dumps(facts, indent=2))
    end = f"until {until:%Y-%m-%d}" if until else "as right from now on"
    typer.echo(f"accepted {end}: {', '.join(items)}\nwritten: {file}")
    return None
