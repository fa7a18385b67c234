"""Rules about the drills that prove a runbook."""

from collections.abc import Iterator, Mapping
from typing import Any

from runbook_nb.authoring.lint.context import CONTROL, Experiment, Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.markdown import FILL_IN
from runbook_nb.authoring.lint.page import Page
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near
from runbook_nb.runbook.steps import letter


@rule(
    "drilled",
    reason="Only a drill shows that a runbook finds its failure, and finds nothing without it.",
    fix="Write drills/<name>.none.json and drills/<name>.<fault>.json; `runbook new` makes both.",
)
def drilled(page: Page, shelf: Shelf) -> Iterator[Flaw]:
    """Drill the runbook without a fault, and with at least one."""
    faults = [experiment.fault for experiment in shelf.experiments(page.name)]
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
def drill_fits(page: Page, shelf: Shelf) -> Iterator[Flaw]:
    """Run this runbook in its drills, and expect its own checks, options and actions."""
    known = {
        "failed": page.titles("check"),
        "warned": page.titles("check"),
        "unknown": page.titles("check"),
        "done": page.titles("act"),
    }
    options = [heading.text for heading in page.options()]
    for experiment in shelf.experiments(page.name):
        if experiment.problem:
            message = f"The drill cannot be read: {experiment.problem}."
            yield Flaw(line=1, path=experiment.path, message=message)
            continue
        runs = list(_runs(experiment))
        if not runs:
            yield Flaw(line=1, path=experiment.path, message="The drill does not run the runbook.")
        for run in runs:
            expect = run.get("expect")
            for word, message in _odd(run, page, known, options, _mapping(expect)):
                yield Flaw(line=experiment.line_of(word), path=experiment.path, message=message)


@rule(
    "drill-heals",
    reason="A fault that stays in place spoils every drill after it.",
    fix='Heal each fault in `rollbacks`, with `"strategy": "always"`; the control has none.',
)
def drill_heals(page: Page, shelf: Shelf) -> Iterator[Flaw]:
    """Inject in a drill the fault it is named for, and always heal it."""
    for experiment in shelf.experiments(page.name):
        injected = _faults(experiment, "method", "inject")
        healed = _faults(experiment, "rollbacks", "heal")
        wanted = [] if experiment.fault == CONTROL else [experiment.fault]
        if injected and injected != wanted:
            message = f"The drill injects {', '.join(injected)}, not what it is named for."
            yield Flaw(line=experiment.line_of("inject"), path=experiment.path, message=message)
        for fault in injected:
            strategy = _mapping(_mapping(experiment.says.get("runtime")).get("rollbacks"))
            if fault not in healed or strategy.get("strategy") != "always":
                message = f"The drill does not always heal {fault!r}."
                yield Flaw(line=experiment.line_of(fault), path=experiment.path, message=message)


@rule(
    "option-drilled",
    reason="An option that no drill takes was never seen to work.",
    fix="Write a drill whose fault calls for it.",
    severity=Severity.WARNING,
)
def option_drilled(page: Page, shelf: Shelf) -> Iterator[Flaw]:
    """Take every option in some drill."""
    runs = [run for found in shelf.experiments(page.name) for run in _runs(found)]
    taken = {_mapping(run.get("expect")).get("option") for run in runs}
    for heading in page.options() if runs else ():
        if heading.text not in taken:
            yield Flaw(line=heading.line, message=f"No drill takes '{heading.text}'.")


def _odd(
    run: Mapping[str, Any],
    page: Page,
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


def _runs(experiment: Experiment) -> Iterator[Mapping[str, Any]]:
    """Return the arguments of each step that runs a runbook."""
    for provider in _providers(experiment, "method"):
        if provider.get("func") == "run_runbook":
            yield _mapping(provider.get("arguments"))


def _faults(experiment: Experiment, part: str, function: str) -> list[str]:
    return [
        str(_mapping(provider.get("arguments")).get("fault"))
        for provider in _providers(experiment, part)
        if provider.get("func") == function
    ]


def _providers(experiment: Experiment, part: str) -> Iterator[Mapping[str, Any]]:
    steps = experiment.says.get(part)
    for step in steps if isinstance(steps, list) else ():
        yield _mapping(_mapping(step).get("provider"))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
