"""Which runbook to open, and why: for an incident, an alert, a name or a symptom in words."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.errors import RunbookNotFoundError
from runbook_nb.runbook.catalog import Entry, EntryState, Hit, search
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import Alert, Started
from runbook_nb.timeline.incidents import beginning, find

# Below this lead over the next one, a search has found two answers and not one.
_CLEAR_LEAD: Final = 1.25
# A short passage that holds most of the words, and the rare ones of them, scores 1 and more.
_CLEAR: Final = 1.0
SHOWN: Final = 4  # runbooks named as possible answers
_REASON_WIDTH: Final = 88


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A runbook and the one line that says why it was chosen; ``others`` came close.

    ``symptom`` are the words that led to it, empty where it was named.
    """

    runbook: Runbook
    why: str
    others: tuple[Hit, ...] = ()
    symptom: str = ""


@dataclass(frozen=True, kw_only=True)
class Unclear:
    """Several runbooks fit about as well, best first: somebody has to choose."""

    words: str
    hits: tuple[Hit, ...]

    def chosen(self, number: int) -> Choice:
        """Return the choice of a person, by number from 1."""
        others = tuple(hit for place, hit in enumerate(self.hits, start=1) if place != number)
        runbook = _runbook(self.hits[number - 1])
        return Choice(runbook=runbook, why="you chose it.", others=others, symptom=self.words)


def by_alert(alert: Alert) -> Choice:
    """Return the runbook that answers an alert; raises RunbookNotFoundError if none does."""
    return Choice(runbook=Runbook.for_alert(alert), why=f"it answers the alert {alert.name}.")


def by_incident(incidents: Path, incident: str) -> Choice:
    """Return the runbook that ran last in an incident, or the one it was opened with.

    Raises IncidentStateError for an unknown incident.
    """
    timeline = find(incidents, incident)
    started = timeline.last(Started)
    name = started.runbook if started else beginning(timeline).runbook
    did = "ran last in" if started else "was opened for"
    return Choice(runbook=Runbook.find(name), why=f"it {did} {incident}.")


def by_words(
    words: str, entries: Sequence[Entry], *, summaries: Mapping[str, str], triage: str = ""
) -> Choice | Unclear:
    """Return the runbook of that name, or the one that a symptom in words leads to.

    Words that lead to none clearly lead to the ``triage`` runbook, if there is one. Raises
    RunbookNotFoundError where nothing fits that can be run.
    """
    runnable = {entry.name: entry for entry in entries if entry.runbook}
    if words in runnable:
        entry = runnable[words]
        retired = f" It is retired; use {entry.superseded_by}." if entry.superseded_by else ""
        return Choice(runbook=Runbook.find(words), why=f"you named it.{retired}")
    hits = [
        hit
        for hit in search(words, entries, summaries=summaries)
        if hit.entry.state is EntryState.LIVE
    ][:SHOWN]
    # One word is most often a name that was typed wrongly, and opens nothing.
    if triage in runnable and " " in words.strip() and (not hits or hits[0].score < _CLEAR):
        return Choice(
            runbook=Runbook.find(triage),
            why=f"nothing fits {words!r} clearly, so it begins with triage.",
            others=tuple(hit for hit in hits if hit.entry.name != triage),
            symptom=words,
        )
    if not hits:
        message = f"No runbook speaks of {words!r}. All of them: runbook list"
        raise RunbookNotFoundError(message)
    if len(hits) > 1 and hits[0].score < hits[1].score * _CLEAR_LEAD:
        return Unclear(words=words, hits=tuple(hits))
    why = f"it fits {words!r}: {because(hits[0])}"
    return Choice(runbook=_runbook(hits[0]), why=why, others=tuple(hits[1:]), symptom=words)


def because(hit: Hit) -> str:
    """Say in one line which passage of a runbook fits."""
    reason = hit.reasons[0]
    return textwrap.shorten(f"{reason.place}: {reason.text}", _REASON_WIDTH, placeholder=" …")


def _runbook(hit: Hit) -> Runbook:
    return hit.entry.runbook or Runbook.find(hit.entry.name)
