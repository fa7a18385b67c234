"""Commands that keep runbooks true: validate, owners, coverage, review, retire."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runbook_nb.cli.app import (
    EXIT_CODES,
    Actor,
    AsJson,
    Incidents,
    app,
    say,
    say_to_errors,
    start_lab,
    warn_of_packs,
)
from runbook_nb.cli.completion import runbook_names
from runbook_nb.cli.show import RunbookName, catalogue, has_index, write_index
from runbook_nb.timeline.events import Verdict

if TYPE_CHECKING:
    from runbook_nb.runbook.lab import Lab

review_app = typer.Typer(
    help="Edits of runbooks that incidents call for.", invoke_without_command=True
)
app.add_typer(review_app, name="review")


@app.command()
def validate(
    name: Annotated[
        str | None,
        typer.Argument(help="The runbook; all by default.", autocompletion=runbook_names),
    ] = None,
    *,
    only_due: Annotated[
        bool, typer.Option("--due", help="Only what is past its review period, oldest first.")
    ] = False,
    at_most: Annotated[
        int, typer.Option(min=1, help="With --due: no more than so many in one call.")
    ] = 3,
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Run a runbook's control and drills; if all pass, renew Last Validated and the log.

    The review period stands in organisation.toml; without it, it is 90 days. A failure changes
    nothing, and says which drill, which check, what was expected and what was found.

    Example: runbook validate --due --at-most 2
    """
    from runbook_nb.authoring.maintenance import chosen
    from runbook_nb.authoring.maintenance.on_lab import lab_validator, validate_each
    from runbook_nb.authoring.maintenance.report import validation_facts, validation_lines
    from runbook_nb.incident.context import actor
    from runbook_nb.runbook.packs import find_lab
    from runbook_nb.runbook.runbook import Runbook
    from runbook_nb.timeline.folder import incidents_folder

    names = chosen(catalogue(), name=name, only_due=only_due, at_most=at_most)
    if not names:
        typer.echo("[]" if as_json else "Nothing is due.")
        return
    facts = []
    with (
        _labs(find_lab(source=Runbook.find(each).source()) for each in names),
        lab_validator(
            incidents=incidents or incidents_folder(),
            validator=by or actor(),
            stream=sys.stderr,
            say=say_to_errors,
        ) as validator,
    ):
        for each, validation in validate_each(validator, names):
            facts.append(validation_facts(each, validation))
            if not as_json:
                typer.echo("\n".join(validation_lines(each, validation)))
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    if any(each["passed"] for each in facts):
        _renew_index()
    if not all(each["passed"] for each in facts):
        raise typer.Exit(EXIT_CODES[Verdict.FAIL])


@contextmanager
def _labs(labs: "Iterable[Lab]") -> Iterator[None]:
    """Have labs run for a while; those that ran before stay."""
    begun: list[Lab] = []
    try:
        begun.extend(lab for lab in labs if start_lab(say_to_errors, lab=lab))
        yield
    finally:
        for lab in begun:
            lab.down()


@app.command()
def owners(*, as_json: AsJson = False) -> None:
    """Hold owner and escalation of every runbook against notebooks/contacts.toml.

    Exit code: 0 all fine, 1 some stale, 2 some missing or unknown.

    Example: runbook owners
    """
    from runbook_nb.runbook import runbooks_folder
    from runbook_nb.runbook.catalog import review_owners
    from runbook_nb.runbook.catalog.listing import owner_lines
    from runbook_nb.runbook.catalog.owners import OwnerStanding
    from runbook_nb.runbook.contacts import read_contacts
    from runbook_nb.runbook.policy import read_policy

    folder, today = runbooks_folder(), datetime.now(UTC).date()
    contacts, days = read_contacts(folder), read_policy(folder).review_days
    found = review_owners(catalogue(), contacts, review_days=days, today=today)
    if as_json:
        typer.echo(json.dumps([finding.facts() for finding in found], indent=2))
    else:
        typer.echo("\n".join(owner_lines(found)))
    standings = {finding.standing for finding in found}
    if standings & {OwnerStanding.MISSING, OwnerStanding.UNKNOWN}:
        raise typer.Exit(EXIT_CODES[Verdict.FAIL])
    if OwnerStanding.STALE in standings:
        raise typer.Exit(EXIT_CODES[Verdict.WARN])


@app.command()
def coverage(
    *,
    alerts: Annotated[
        Path | None,
        typer.Option(help="Alerts of your own: a list, rules, or a folder of rules."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show also what is covered.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which known alerts have no live runbook, or more than one.

    Known are those of all runbooks, retired ones too, of the packs, and of your file.
    Exit code: 0 all covered, 2 not.

    Example: runbook coverage --alerts rules.yml
    """
    from runbook_nb.runbook.catalog import coverage as covered
    from runbook_nb.runbook.catalog.alert_rules import read_alert_rules
    from runbook_nb.runbook.catalog.coverage import known_alerts
    from runbook_nb.runbook.catalog.listing import coverage_lines

    warn_of_packs()
    packs = known_alerts(say=say_to_errors)
    known: dict[str, Any] = {f"the pack {name}": found for name, found in packs.items()}
    if alerts is not None:
        rules = read_alert_rules(alerts)
        known[alerts.name] = [rule.name for rule in rules if not rule.is_templated]
        if templated := [rule.name for rule in rules if rule.is_templated]:
            say_to_errors(
                f"{alerts.name} is a template, and {len(templated)} of its names are filled in "
                f"later: {', '.join(templated[:3])}. Give the rules as they are loaded."
            )
    found = covered(catalogue(), known)
    gaps = [line for line in found if not line.is_covered]
    if as_json:
        typer.echo(json.dumps([line.facts() for line in (found if every else gaps)], indent=2))
    else:
        typer.echo("\n".join(coverage_lines(found, every=every)))
    if gaps:
        raise typer.Exit(EXIT_CODES[Verdict.FAIL])


@review_app.callback()
def review(
    context: typer.Context,
    *,
    drills: Annotated[bool, typer.Option("--drills", help="Also incidents of drills.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also what was dealt with.")] = False,
    incidents: Incidents = None,
    as_json: AsJson = False,
) -> None:
    """List the edits that incidents call for: notes for the runbook, and steps that did not serve.

    These are steps that were skipped, overridden or unknown.

    Example: runbook review
    """
    from runbook_nb.authoring.maintenance.report import proposal_facts, proposal_lines

    if context.invoked_subcommand is not None:
        return
    found = _review(incidents, drills=drills)
    wanted = found.all if every else found.open()
    if as_json:
        typer.echo(json.dumps([proposal_facts(each, found) for each in wanted], indent=2))
        return
    for proposal in wanted:
        typer.echo("\n".join([*proposal_lines(proposal, found), ""]))
    typer.echo(f"{len(found.open())} open." if found.all else "No incident calls for an edit.")


@review_app.command("close")
def review_close(
    proposal: Annotated[str, typer.Argument(help="The proposed edit, such as R-3fa2c1.")],
    *,
    why: Annotated[str, typer.Option(help="Why the runbook stays as it is.")] = "",
    incidents: Incidents = None,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Close a proposed edit: the runbook changed since, or you say why not.

    Example: runbook review close R-3fa2c1 --why "The database was down, the check is right."
    """
    from runbook_nb.incident.context import actor

    dealt = _review(incidents, drills=True).close(proposal, by=by or actor(), why=why)
    facts = {
        "proposal": proposal,
        "by": dealt.by,
        "incidents": list(dealt.incidents),
        "why": dealt.why,
    }
    said = f"{proposal} is closed by {dealt.by} for {', '.join(dealt.incidents)}: {dealt.why}"
    say(said, facts=facts, as_json=as_json)


@app.command()
def retire(
    name: RunbookName,
    *,
    reason: Annotated[str, typer.Option(help="Why, in a sentence.")],
    superseded_by: Annotated[
        str, typer.Option(help="The runbook to use instead.", autocompletion=runbook_names)
    ] = "",
    force: Annotated[bool, typer.Option("--force", help="Also while it is still needed.")] = False,
    by: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Move a runbook and its drills to notebooks/archived, with a notice for whoever opens it.

    Refused while others relate to it, or while alerts would be left without a runbook. It can
    still be run by name, and says in every run that it is retired.

    Example: runbook retire old_one --reason "The queue is gone." --superseded-by new_one
    """
    from runbook_nb.authoring.maintenance import retire as retire_runbook
    from runbook_nb.incident.context import actor
    from runbook_nb.runbook.folders import own_runbooks_folder

    done = retire_runbook(
        name,
        folder=own_runbooks_folder(),
        entries=catalogue(),
        reason=reason,
        by=by or actor(),
        on=datetime.now(UTC).date(),
        superseded_by=superseded_by,
        force=force,
    )
    _renew_index()
    lines = [f"moved: {file}" for file in done.files]
    lines += [f"left to do: {left}" for left in done.left]
    facts = {"moved": [str(file) for file in done.files], "left_to_do": list(done.left)}
    say("\n".join(lines), facts=facts, as_json=as_json)


def _renew_index() -> None:
    from runbook_nb.runbook.folders import own_runbooks_folder

    readme = own_runbooks_folder().parent / "README.md"
    if has_index(readme) and write_index(readme, check=False):
        typer.echo(f"written: {readme}", err=True)


def _review(incidents: Path | None, *, drills: bool) -> Any:
    from runbook_nb.authoring.maintenance import Review
    from runbook_nb.runbook.folders import own_runbooks_folder
    from runbook_nb.timeline.folder import incidents_folder

    return Review(
        incidents=incidents or incidents_folder(), folder=own_runbooks_folder(), drills=drills
    )
