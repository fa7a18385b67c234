"""The index of all runbooks as Markdown, between two marks of the README."""

from collections.abc import Sequence
from typing import Final

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog.entry import Entry, EntryState

BEGIN: Final = "<!-- runbooks: written by `runbook fmt` -->"
END: Final = "<!-- runbooks: end -->"
_HEAD: Final = ("runbook", "answers", "severity", "owner", "last validated")


def index(entries: Sequence[Entry]) -> str:
    """Return the index: how many are written, and one table of all groups.

    Dates stand here instead of ages, so that the page does not change from day to day.
    """
    written = [entry for entry in entries if entry.state is EntryState.LIVE]
    planned = [entry for entry in entries if entry.planned]
    proven = sum(1 for entry in written if entry.freshness.validated)
    said = f"Runbooks that are written: {len(written)}"
    if planned:
        count = sum(1 for entry in planned if entry.state is EntryState.LIVE)
        said = f"Of {len(planned)} planned runbooks, {count} are written"
    lines = [
        f"{said}; drills have proven {proven} of all that are.",
        "",
        f"| {' | '.join(_HEAD)} |",
        "|" + "---|" * len(_HEAD),
    ]
    group = None
    for entry in entries:
        if entry.group != group:
            group = entry.group
            lines.append(f"| **{group or 'Other'}** |" + " |" * (len(_HEAD) - 1))
        lines.append(_row(entry))
    return "\n".join(lines)


def with_index(text: str, entries: Sequence[Entry]) -> str:
    """Return the README with its index up to date; raises RunbookFormatError without marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"The README has no place for the index: write {BEGIN} and {END} into it."
        raise RunbookFormatError(message)
    return f"{before}{BEGIN}\n{index(entries)}\n{END}{after}"


def _row(entry: Entry) -> str:
    match entry.state:
        case EntryState.UNWRITTEN:
            cells = (entry.name, entry.scenario, "", "", "*not written yet*")
        case EntryState.UNREADABLE:
            cells = (entry.name, "", "", "", "*cannot be read: run `runbook lint`*")
        case EntryState.RETIRED:
            instead = f", see {entry.superseded_by}" if entry.superseded_by else ""
            link = f"[{entry.name}](notebooks/archived/{entry.name}.md)"
            cells = (link, entry.scenario, entry.severity, entry.owner, f"*retired{instead}*")
        case EntryState.LIVE:
            link = f"[{entry.name}](notebooks/{entry.name}.md)"
            proven = str(entry.freshness.validated or "never")
            cells = (link, entry.scenario, entry.severity, entry.owner, proven)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
