"""Names for the shell's completion: read from file names, and from a runbook where one is meant.

A shell asks at every press of a key, so nothing here imports a pack or reads a timeline it need
not. Whatever is wrong leaves the line as it was typed.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from runbook_nb.errors import RunbookError

if TYPE_CHECKING:
    from runbook_nb.runbook.runbook import Runbook

Offers = list[tuple[str, str]]  # what would be typed, and what it means


def runbook_names(incomplete: str) -> list[str]:
    """Return the names of runbooks that begin so."""
    return _beginning(incomplete, (path.stem for path in _files("*.ipynb")))


def incident_ids(context: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of incidents that begin so, newest first."""
    from runbook_nb.timeline.folder import INCIDENT_ID, incidents_folder

    given = context.params.get("incidents")
    try:
        found = [*(Path(given) if given else incidents_folder()).iterdir()]
        found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    except (RunbookError, OSError):
        return []
    names = (path.name for path in found if path.is_dir() and INCIDENT_ID.fullmatch(path.name))
    return [name for name in names if name.startswith(incomplete)]


def runbooks_and_incidents(context: typer.Context, incomplete: str) -> list[str]:
    """Return runbooks and incidents that begin so."""
    return [*runbook_names(incomplete), *incident_ids(context, incomplete)]


def fault_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the faults of the drills of the runbook that is named, or of all."""
    name = _first_word(context) or "*"
    faults = {path.stem.partition(".")[2] for path in _files(f"drills/{name}.*.json")}
    wanted = faults if "name" in context.params else faults - {"none"}
    return _beginning(incomplete, wanted)


def option_letters(context: typer.Context, incomplete: str) -> Offers:
    """Return the options of the runbook that is named, or of the incident's last run."""
    runbook = _named(context)
    headings = runbook.options() if runbook else []
    return [
        (letter, meaning)
        for letter, _, meaning in (_cut(heading) for heading in headings)
        if letter.casefold().startswith(incomplete.casefold())
    ]


def baseline_parts(incomplete: str) -> list[str]:
    """Return the parts that have a baseline already, of any environment, that begin so."""
    return _beginning(incomplete, {path.stem for path in _files("baselines/*/*.json")})


def open_questions(context: typer.Context, incomplete: str) -> list[str]:
    """Return the manual steps of the incident that nobody has answered."""
    from runbook_nb.timeline import queries
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.incidents import find

    given = context.params.get("incidents")
    try:
        folder = Path(given) if given else incidents_folder()
        waiting = queries.open_questions(find(folder, str(context.params.get("incident"))))
    except (RunbookError, OSError):
        return []
    return _beginning(incomplete, (step.question for step in waiting))


def unsettled_titles(context: typer.Context, incomplete: str) -> list[str]:
    """Return the actions and undos of the incident that may be half done."""
    from runbook_nb.timeline import queries
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.incidents import find

    given = context.params.get("incidents")
    try:
        folder = Path(given) if given else incidents_folder()
        left = queries.unsettled(find(folder, str(context.params.get("incident"))))
    except (RunbookError, OSError):
        return []
    return _beginning(incomplete, (attempt.acting.title for attempt in left))


def severities(incomplete: str) -> list[str]:
    """Return the severities of the organisation."""
    from runbook_nb.runbook.folders import runbooks_folder
    from runbook_nb.runbook.policy import policy_or_default

    try:
        names = policy_or_default(runbooks_folder()).severity_names
    except (RunbookError, OSError):
        return []
    return [name for name in names if name.startswith(incomplete)]


def parameter_names(context: typer.Context, incomplete: str) -> Offers:
    """Return the parameters of the runbook that is named, to be given a value."""
    runbook = _named(context)
    given = [each for each in runbook.parameters if each.name != "incident_id"] if runbook else []
    offers = [(f"{each.name}=", each.help) for each in given]
    return [(typed, meaning) for typed, meaning in offers if typed.startswith(incomplete)]


def _named(context: typer.Context) -> "Runbook | None":
    from runbook_nb.runbook import Runbook

    try:
        if name := _first_word(context):
            return Runbook.find(name)
        if incident := context.params.get("incident"):
            return Runbook.find(_last_runbook(context, incident))
    except (RunbookError, OSError):
        return None
    return None


def _first_word(context: typer.Context) -> str:
    """Return the runbook that is named; an option without its value yet stops the parser.

    Then the words are left over, and the parameters hold their defaults.
    """
    told = context.params.get("name") or next(iter(context.params.get("words") or ()), "")
    return str(next(iter(context.args), told))


def _last_runbook(context: typer.Context, incident: str) -> str:
    from runbook_nb.timeline.events import Started
    from runbook_nb.timeline.folder import incidents_folder
    from runbook_nb.timeline.incidents import find

    given = context.params.get("incidents")
    started = find(Path(given) if given else incidents_folder(), incident).last(Started)
    return started.runbook if started else ""


def _files(pattern: str) -> Iterable[Path]:
    from runbook_nb.runbook.folders import runbooks_folder

    try:
        return list(runbooks_folder().glob(pattern))
    except (RunbookError, OSError, ValueError):
        return []


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})


def _cut(heading: str) -> tuple[str, str, str]:
    """Cut ``Option A: Restart`` into its letter and its meaning; a colon would split a word."""
    return heading.removeprefix("Option ").partition(": ")
