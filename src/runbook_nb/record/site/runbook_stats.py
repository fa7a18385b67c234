"""What all incidents say of one runbook: its runs, checks, skipped steps, and what was chosen."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from runbook_nb.errors import RunbookError
from runbook_nb.record.history import IncidentLine
from runbook_nb.record.site.figures import TimeFigures, span_of
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import Verdict
from runbook_nb.timeline.folder import INCIDENT_ID

PAGES: Final = "runbooks"


@dataclass(frozen=True, kw_only=True)
class CheckTally:
    """One check of a runbook: in how many incidents it was read, and what was its worst there."""

    title: str
    read: int
    failed: int
    unknown: int
    warned: int


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What some incidents say of a runbook, most frequent first."""

    incidents: int
    runs: int
    attended: int
    to_verdict: TimeFigures
    checks: tuple[CheckTally, ...]
    skipped: tuple[tuple[str, int], ...]
    options: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Book:
    """A runbook in the archive: its page, when it was last validated, and its tallies.

    ``validated`` is empty for never, and ``problem`` says why the runbook cannot be asked.
    """

    name: str
    page: str
    title: str
    validated: str
    problem: str
    nights: Tally
    drills: Tally
    lines: tuple[IncidentLine, ...]


def books_of(lines: Sequence[IncidentLine]) -> list[Book]:
    """Return every runbook that an incident names, by name."""
    found: defaultdict[str, list[IncidentLine]] = defaultdict(list)
    for line in lines:
        for name in line.runbooks:
            found[name].append(line)
    pages = _pages(sorted(found))
    return [_book(name, pages[name], found[name]) for name in sorted(found)]


def _book(name: str, page: str, lines: Sequence[IncidentLine]) -> Book:
    title, validated, problem = _asked(name)
    return Book(
        name=name,
        page=page,
        title=title,
        validated=validated,
        problem=problem,
        nights=_tally(name, [line for line in lines if not line.is_drill]),
        drills=_tally(name, [line for line in lines if line.is_drill]),
        lines=tuple(lines),
    )


def _asked(name: str) -> tuple[str, str, str]:
    """Return title, last validation and problem of a runbook as it stands now."""
    try:
        runbook = Runbook.find(name)
    except (RunbookError, OSError, ValueError):
        return "", "", "There is no runbook of this name any more, or it cannot be read."
    return runbook.title, str(runbook.front.get("last_validated") or ""), ""


def _tally(name: str, lines: Sequence[IncidentLine]) -> Tally:
    runs = [run for line in lines for run in line.runs if run.runbook == name]
    skipped = Counter(
        title
        for line in lines
        for title in dict.fromkeys(each.title for each in line.skipped if each.runbook == name)
    )
    chosen = Counter(
        heading
        for line in lines
        for heading in dict.fromkeys(each.heading for each in line.options if each.runbook == name)
    )
    return Tally(
        incidents=len(lines),
        runs=len(runs),
        attended=sum(run.attended for run in runs),
        to_verdict=span_of(run.verdict_s for run in runs),
        checks=_checks(name, lines),
        skipped=tuple(skipped.most_common()),
        options=tuple(chosen.most_common()),
    )


def _checks(name: str, lines: Sequence[IncidentLine]) -> tuple[CheckTally, ...]:
    worst: defaultdict[str, Counter[Verdict]] = defaultdict(Counter)
    for line in lines:
        for check in line.checks:
            if check.runbook == name:
                worst[check.title][check.worst] += 1
    tallies = (
        CheckTally(
            title=title,
            read=found.total(),
            failed=found[Verdict.FAIL],
            unknown=found[Verdict.UNKNOWN],
            warned=found[Verdict.WARN],
        )
        for title, found in worst.items()
    )
    return tuple(sorted(tallies, key=lambda each: (-each.failed, -each.unknown, -each.warned)))


def _pages(names: Sequence[str]) -> dict[str, str]:
    """Return a file name for each runbook that every system can hold and none shares."""
    taken: set[str] = set()
    pages = {}
    for name in names:
        stem = name if INCIDENT_ID.fullmatch(name) else "runbook"
        if stem != name or stem.casefold() in taken:
            stem = f"{stem}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:12]}"
        taken.add(stem.casefold())
        pages[name] = f"{PAGES}/{stem}.html"
    return pages
