"""The command that checks the form of runbooks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from runbook_nb.cli.app import EXIT_CODES, AsJson, app
from runbook_nb.cli.completion import runbook_names
from runbook_nb.timeline.events import Verdict


@app.command()
def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Names, files or folders; all by default.", autocompletion=runbook_names
        ),
    ] = None,
    *,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules and why.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF for a code host.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the form of runbooks: file:line, rule, message, and the fix.

    Exit code: 0 clean, 1 warnings, 2 errors.

    Example: runbook lint queue_backlog
    """
    from runbook_nb.authoring.lint import RULES, Severity, as_sarif, as_text
    from runbook_nb.authoring.lint import as_json as json_of
    from runbook_nb.authoring.lint import lint as lint_runbooks
    from runbook_nb.runbook import runbooks_folder

    if rules:
        for rule in RULES:
            typer.echo(f"{rule.name:20} {rule.says}\n{'':20} why: {rule.reason}")
        return
    found = lint_runbooks(paths or [], folder=runbooks_folder(), now=datetime.now(UTC))
    if sarif:
        typer.echo(as_sarif(found, root=Path.cwd()))
    elif as_json:
        typer.echo(json_of(found, root=Path.cwd()))
    else:
        typer.echo(as_text(found, root=Path.cwd()))
    errors = any(finding.severity is Severity.ERROR for finding in found)
    worst = Verdict.FAIL if errors else Verdict.WARN if found else Verdict.PASS
    raise typer.Exit(EXIT_CODES[worst])
