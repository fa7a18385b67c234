"""Rules about the drills that prove a runbook."""

from collections.abc import Iterator, Mapping
from typing import Any

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near
from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.drill import CONTROL
from runbook_nb.runbook.steps import letter


@rule(
    "drilled",
    reason="Only a drill shows that a runbook finds its failure, and finds nothing without it.",
    fix="Write drills/<name>.none.json and drills/<name>.<fault>.json; `runbook new` makes both.",
)
def drilled(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Drill the runbook without a fault, and with at least one."""
    faults = [drill.fault for drill in shelf.drills(page.name)]
    line = page.front_line("name")
    if CONTROL not in faults:
        yield Flaw(line=line, message=f"It has no control drill {page.name}.{CONTROL}.json.")
    if not set(faults) - {CONTROL}:
        yield Flaw(line=line, message="It has no drill with a fault.")


@rule(
    "drill-fits",
    reason="A drill that expects what the runbook does not have can only fail.",
    fix="Use the titles of the runbook, word for word.",
)
def drill_fits(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Run this runbook in its drills, and expect its own checks, options and actions."""
    known = {
        "failed": page.titles("check"),
        "warned": page.titles("check"),
        "unknown": page.titles("check"),
        "done": page.titles("act"),
    }
    options = [heading.text for heading in page.options()]
    for drill in shelf.drills(page.name):
        if drill.problem:
            message = f"The drill cannot be read: {drill.problem}."
            yield Flaw(line=1, path=drill.path, message=message)
            continue
        runs = drill.runs
        if not runs:
            yield Flaw(line=1, path=drill.path, message="The drill does not run the runbook.")
        for run in runs:
            expect = run.get("expect")
            for word, message in _odd(run, page, known, options, _mapping(expect)):
                yield Flaw(line=drill.line_of(word), path=drill.path, message=message)
        for situation in drill.situations:
            said = {"runbook": page.name, "parameters": situation.parameters}
            for _, message in _odd(said, page, known, options, situation.expect):
                yield Flaw(
                    line=drill.line_of(situation.fault),
                    path=drill.path,
                    message=f"{situation.fault}: {message}",
                )


@rule(
    "drill-heals",
    reason="A fault that stays in place spoils every drill after it.",
    fix='Heal each fault in `rollbacks`, with `"strategy": "always"`; the control has none.',
)
def drill_heals(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Inject in a drill the fault it is named for, and always heal it."""
    for drill in shelf.drills(page.name):
        wanted = [] if drill.is_control else [drill.fault]
        if drill.injected and drill.injected != wanted:
            message = f"The drill injects {', '.join(drill.injected)}, not what it is named for."
            yield Flaw(line=drill.line_of("inject"), path=drill.path, message=message)
        for fault in drill.injected:
            if fault not in drill.healed:
                message = f"The drill does not always heal {fault!r}."
                yield Flaw(line=drill.line_of(fault), path=drill.path, message=message)


@rule(
    "option-drilled",
    reason="An option that no drill takes was never seen to work.",
    fix="Write a drill whose fault calls for it.",
    severity=Severity.WARNING,
)
def option_drilled(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Take every option in some drill."""
    runs = [run for drill in shelf.drills(page.name) for run in drill.runs]
    taken = {_mapping(run.get("expect")).get("option") for run in runs}
    for heading in page.options() if runs else ():
        if heading.text not in taken:
            yield Flaw(line=heading.line, message=f"No drill takes '{heading.text}'.")


def _odd(
    run: Mapping[str, Any],
    page: RunbookPage,
    known: Mapping[str, list[str]],
    options: list[str],
    expect: Mapping[str, Any],
) -> Iterator[tuple[object, str]]:
    """Return what a run names that the runbook does not have, with the word to look for."""
    if run.get("runbook") != page.name:
        yield run.get("runbook"), f"The drill runs {run.get('runbook')!r}, not {page.name!r}."
    declared = [parameter.name for parameter in page.parameters]
    for name in _mapping(run.get("parameters")):
        if declared and name not in declared:
            yield name, f"The runbook has no parameter {name!r}. {near(name, declared)}"
    for key, titles in known.items():
        for title in _texts(expect.get(key)):
            if title not in titles and FILL_IN not in title:
                yield title, f"`{key}` expects {title!r}. {near(title, titles)}"
    option = expect.get("option")
    if option is not None and option not in options and FILL_IN not in str(option):
        yield option, f"`option` expects {option!r}. {near(str(option), options)}"
    letters = set(map(letter, options))
    for said in _texts(run.get("approve")):
        if said not in letters and said not in options:
            yield said, f"The drill approves {said!r}, which is no option."


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
