"""Find the runbook that fits a symptom or the text of an alert, and say why it fits."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.runbook.catalog.entry import Entry, EntryState
from runbook_nb.runbook.catalog.search_fields import Passage, passages
from runbook_nb.runbook.catalog.search_words import understood, words

REASONS: Final = 3  # passages shown for each runbook
# A passage that matches adds to the best one; ten weak ones must not beat one good one.
_FURTHER: Final = 0.1
# What cannot be run comes after what can, unless it fits far better.
_STANDING: Final = {EntryState.LIVE: 1.0, EntryState.UNWRITTEN: 0.5, EntryState.RETIRED: 0.3}


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A runbook that fits, how well, and the passages that say so, best first."""

    entry: Entry
    score: float
    reasons: tuple[Passage, ...]

    def facts(self) -> dict[str, Any]:
        """Return the hit as JSON."""
        reasons = [{"place": reason.place, "text": reason.text} for reason in self.reasons]
        return {**self.entry.facts(), "score": round(self.score, 3), "reasons": reasons}


def search(
    query: str, entries: Sequence[Entry], *, summaries: Mapping[str, str] | None = None
) -> list[Hit]:
    """Return the runbooks that fit a query, best first; none when no word of it is known.

    A rare word counts more than one that many runbooks use. ``summaries`` maps alerts to their
    text, where the monitoring that sends them is known.
    """
    texts = {entry.name: passages(entry, summaries=summaries or {}) for entry in entries}
    cut = {name: [words(passage.text) for passage in found] for name, found in texts.items()}
    vocabularies = {name: {word for text in found for word in text} for name, found in cut.items()}
    rare = _rarity(vocabularies)
    meant = {word: understood(word, rare) for word in words(query)}
    hits = (
        _hit(entry, list(zip(texts[entry.name], cut[entry.name], strict=True)), meant, rare)
        for entry in entries
    )
    found = [hit for hit in hits if hit is not None]
    return sorted(found, key=lambda hit: (-hit.score, hit.entry.name))


def _hit(
    entry: Entry,
    texts: list[tuple[Passage, list[str]]],
    meant: Mapping[str, frozenset[str]],
    rare: Mapping[str, float],
) -> Hit | None:
    scored = [(_fit(text, meant, rare) * passage.weight, passage) for passage, text in texts]
    matching = sorted(
        ((score, passage) for score, passage in scored if score > 0), key=lambda pair: -pair[0]
    )
    if not matching:
        return None
    here = {word for _, text in texts for word in text}
    known = sum(1 for words_meant in meant.values() if words_meant & here) / len(meant)
    best, *further = (score for score, _ in matching)
    score = (best + _FURTHER * sum(further[: REASONS - 1])) * known
    return Hit(
        entry=entry,
        score=score * _STANDING.get(entry.state, _STANDING[EntryState.RETIRED]),
        reasons=_distinct([passage for _, passage in matching]),
    )


def _fit(
    text: Sequence[str], meant: Mapping[str, frozenset[str]], rare: Mapping[str, float]
) -> float:
    """Return how much of the query a passage holds, from 0 to 1, rare words first."""
    weights = {word: max(map(rare.__getitem__, found)) for word, found in meant.items() if found}
    if not weights:
        return 0.0
    matched = {word for word in weights if meant[word].intersection(text)}
    share = sum(weights[word] for word in matched) / sum(weights.values())
    # Of two passages that hold the same words, the shorter one is about them.
    return share * (1 + 1 / (1 + math.log1p(len(text)))) / 2


def _rarity(vocabularies: Mapping[str, set[str]]) -> dict[str, float]:
    count = Counter(word for vocabulary in vocabularies.values() for word in vocabulary)
    return {word: math.log1p(len(vocabularies) / n) for word, n in count.items()}


def _distinct(found: Sequence[Passage]) -> tuple[Passage, ...]:
    """Return the first passages, those that another one contains left out."""
    kept: list[Passage] = []
    for passage in found:
        if not any(passage.text in other.text or other.text in passage.text for other in kept):
            kept.append(passage)
        if len(kept) == REASONS:
            break
    return tuple(kept)
