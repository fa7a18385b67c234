"""How like two incidents are, with the reason in words: a pure function over folded facts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runbook_nb.record.history.features import Past
from runbook_nb.text.formatting import counted, listed

# The failed checks say most: they are what the trouble looks like from outside.
_CHECKS, _ALERT, _RUNBOOK, _OPTION, _WORDS = 0.5, 0.2, 0.1, 0.1, 0.1
# Two notes in plain words share a few by chance.
_ALIKE_WORDS: Final = 0.3
_SHOWN_WORDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Similar:
    """One past incident: how like it is from 0 to 1, why, and what resolved it.

    ``resolved_by`` is empty where its timeline does not say.
    """

    incident: str
    title: str
    opened_at: datetime
    score: float
    why: str
    resolved_by: str
    is_over: bool

    @property
    def resolution(self) -> str:
        """What resolved it, that nothing did, or that nobody wrote it down."""
        if not self.resolved_by:
            return "not on its timeline"
        return self.resolved_by if self.is_over else f"{self.resolved_by}; not known to be over"


def similar_to(
    subject: Past, others: Iterable[Past], *, drills: bool = False, limit: int = 5
) -> tuple[Similar, ...]:
    """Return the closed incidents before this one that are like it, the most like one first.

    A runbook or an option in common is not enough. Those that were resolved come first, since they
    tell what helps; of two that are as like, the newer.
    """
    found = [
        _compared(subject, other)
        for other in others
        if _is_before(other, subject)
        and (drills or not other.is_drill)
        and _is_like(subject, other)
    ]
    found.sort(
        key=lambda each: (not each.is_over, -each.score, -each.opened_at.timestamp(), each.incident)
    )
    return tuple(found[:limit])


def _is_before(other: Past, subject: Past) -> bool:
    is_itself = other.incident == subject.incident
    return other.closed and not is_itself and other.opened_at < subject.opened_at


def _is_like(subject: Past, other: Past) -> bool:
    return bool(
        subject.failed & other.failed
        or (subject.alert and subject.alert == other.alert)
        or _alike(subject.words, other.words) >= _ALIKE_WORDS
    )


def _compared(subject: Past, other: Past) -> Similar:
    score = (
        _CHECKS * _alike(subject.failed, other.failed)
        + _ALERT * (subject.alert != "" and subject.alert == other.alert)
        + _RUNBOOK * bool(subject.runbooks & other.runbooks)
        + _OPTION * bool(subject.options & other.options)
        + _WORDS * _alike(subject.words, other.words)
    )
    return Similar(
        incident=other.incident,
        title=other.title,
        opened_at=other.opened_at,
        score=round(score, 3),
        why="; ".join(_reasons(subject, other)),
        resolved_by=other.resolved_by,
        is_over=other.is_over,
    )


def _reasons(subject: Past, other: Past) -> Iterator[str]:
    if both := sorted(subject.failed & other.failed):
        every = len(subject.failed | other.failed)
        yield f"{len(both)} of {counted(every, 'failed check')} the same: {listed(both)}"
    if subject.alert and subject.alert == other.alert:
        yield f"the same alert, {subject.alert}"
    if runbooks := sorted(subject.runbooks & other.runbooks):
        yield f"the same runbook, {listed(runbooks)}"
    if options := sorted(subject.options & other.options):
        yield f"the same choice, {listed(options)}"
    if words := sorted(subject.words & other.words, key=_by_length):
        yield f"words in common: {', '.join(words[:_SHOWN_WORDS])}"


def _by_length(word: str) -> tuple[int, str]:
    """Order words so that the longest, which tell most, come first."""
    return (-len(word), word)


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of what either has that both have; nothing is like nothing: 0."""
    either: Sequence[str] = [*(one | other)]
    return len(one & other) / len(either) if either else 0.0
