"""Which runbook is meant: by its name, by what somebody sees, or by what an incident ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.catalog.entry import Entry, State
from runbook_nb.catalog.search import Hit, search
from runbook_nb.errors import RunbookNotFoundError
from runbook_nb.incidents import find, opened
from runbook_nb.model import Started
from runbook_nb.runbook import Runbook

SHOWN: Final = 3
# The best must fit this many times better than the next to be opened without asking.
_CLEARLY: Final = 1.25


@dataclass(frozen=True, kw_only=True)
class Found:
    """A runbook that may be meant, and why in words."""

    name: str
    why: str = ""


def by_words(words: str, entries: Sequence[Entry]) -> list[Found]:
    """Return the runbook that is meant; more than one where it is not clear which.

    A name is taken as it is. Raises RunbookNotFoundError where nothing fits, with near names.
    """
    live = [entry for entry in entries if entry.state is State.LIVE]
    if any(entry.name == words for entry in live) or "_" in words:
        return [Found(name=Runbook.find(words).name)]
    hits = search(words, live)[:SHOWN]
    if not hits:
        # It names what is near, or says how to list them all.
        return [Found(name=Runbook.find(words).name)]
    clear = len(hits) == 1 or hits[0].score >= hits[1].score * _CLEARLY
    return [_found(hit) for hit in (hits[:1] if clear else hits)]


def of_incident(incidents: Path, incident: str) -> Found:
    """Return the runbook that an incident ran last, or was opened with."""
    timeline = find(incidents, incident)
    started = timeline.last(Started)
    if started:
        return Found(name=started.runbook, why=f"{incident} ran it last.")
    return Found(name=opened(timeline).runbook, why=f"{incident} was opened with it.")


def chosen(found: Sequence[Found], answer: str) -> Found:
    """Return the one that a person chose by its number; raises RunbookNotFoundError."""
    if answer.strip().isdigit() and 0 < int(answer) <= len(found):
        return found[int(answer) - 1]
    names = ", ".join(each.name for each in found)
    message = f"{answer!r} is none of them. Name one: {names}."
    raise RunbookNotFoundError(message)


def _found(hit: Hit) -> Found:
    reason = hit.reasons[0]
    return Found(name=hit.entry.name, why=f"{reason.place}: {reason.text}")
