"""The catalogue on a screen: the index, what a search found, owners, and coverage."""

import textwrap
from collections.abc import Iterator, Sequence

from runbook_nb.runbook.catalog.coverage import Coverage
from runbook_nb.runbook.catalog.entry import Entry, EntryState
from runbook_nb.runbook.catalog.owners import OwnerFinding
from runbook_nb.runbook.catalog.search import Hit

_INDENT = "    "


def index_lines(entries: Sequence[Entry]) -> Iterator[str]:
    """Return the index, group by group; alerts stand below their runbook."""
    group = None
    for entry in entries:
        if entry.group != group:
            if group is not None:
                yield ""
            group = entry.group
            yield group or "Without a group"
        yield f"  {line_of(entry)}"
        yield from _alerts(entry)
    live = sum(entry.state is EntryState.LIVE for entry in entries)
    due = sum(entry.state is EntryState.LIVE and entry.freshness.is_due for entry in entries)
    unwritten = sum(entry.state is EntryState.UNWRITTEN for entry in entries)
    yield ""
    yield f"{live} to run, {due} of them due for validation; {unwritten} not written yet."


def hit_lines(hits: Sequence[Hit]) -> Iterator[str]:
    """Return what a search found, best first, each with its reasons."""
    for number, hit in enumerate(hits, start=1):
        if number > 1:
            yield ""
        yield f"{number}. {line_of(hit.entry)}"
        if hit.entry.scenario:
            yield f"{_INDENT}{hit.entry.scenario}"
        for reason in hit.reasons:
            said = textwrap.shorten(reason.text, 96, placeholder=" …")
            yield f"{_INDENT}{reason.place}: {said}"
        if hit.entry.superseded_by:
            yield f"{_INDENT}Use {hit.entry.superseded_by} instead."


def owner_lines(found: Sequence[OwnerFinding]) -> Iterator[str]:
    """Return each owner and address of each runbook, with what is to be said of it."""
    for finding in found:
        said = f"{finding.runbook:30} {finding.role:11} {finding.name:32} {finding.standing}"
        yield f"{said:86} {finding.said}".rstrip()


def coverage_lines(found: Sequence[Coverage], *, every: bool) -> Iterator[str]:
    """Return the alerts that are not covered, or all of them, and how many are."""
    for line in found:
        if every or not line.is_covered:
            by = ", ".join(line.answered_by) or "NOBODY"
            yield f"{line.alert:30} {by:40} known from {', '.join(line.known_from)}"
    covered = sum(line.is_covered for line in found)
    yield f"{covered} of {len(found)} known alerts have one live runbook."


def line_of(entry: Entry) -> str:
    """Return one runbook on one line."""
    match entry.state:
        case EntryState.LIVE:
            said = entry.freshness.said
            return f"{entry.name:30} {entry.severity:11} {entry.owner:34} {said}"
        case EntryState.RETIRED:
            instead = f", see {entry.superseded_by}" if entry.superseded_by else ""
            return f"{entry.name:30} {entry.severity:11} {entry.owner:34} retired{instead}"
        case _:
            problem = f": {entry.problem}" if entry.problem else ""
            return f"{entry.name:30} {entry.state}{problem}"


def _alerts(entry: Entry) -> list[str]:
    if entry.state is not EntryState.LIVE or not entry.alerts:
        return []
    return textwrap.wrap(
        ", ".join(entry.alerts), 100, initial_indent=_INDENT, subsequent_indent=_INDENT
    )
