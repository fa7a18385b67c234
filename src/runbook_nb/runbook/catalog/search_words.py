"""Texts cut into words that can be compared: no case, no plural, compound names taken apart."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

# "SSEHeartbeatLagHigh" becomes SSE, Heartbeat, Lag, High.
_JOINT: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD: Final = re.compile(r"[a-z0-9]+")
# Words that stand in every text and tell runbooks apart by nothing.
_EMPTY: Final = frozenset(
    {
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "do",
        "does",
        "for",
        "from",
        "has",
        "have",
        "how",
        "if",
        "in",
        "is",
        "it",
        "no",
        "not",
        "of",
        "on",
        "or",
        "that",
        "the",
        "then",
        "there",
        "this",
        "to",
        "was",
        "what",
        "when",
        "which",
        "who",
        "why",
        "will",
        "with",
    }
)
_SHORTEST_STEM: Final = 3
_SHORTEST_TYPED_WRONG: Final = 5
_ALIKE: Final = 0.8


def words(text: str) -> list[str]:
    """Return the words of a text that can tell it apart, in order."""
    found = _WORD.findall(_JOINT.sub(" ", text).lower())
    return [_stem(word) for word in found if word not in _EMPTY]


def understood(word: str, vocabulary: Iterable[str]) -> frozenset[str]:
    """Return the words of a vocabulary that a word of a query may mean.

    These are the word itself and longer words that begin with it; for a longer word that is not
    known at all, those that look like it.
    """
    known = set(vocabulary)
    meant = {other for other in known if other == word or _begins(other, word)}
    if not meant and len(word) >= _SHORTEST_TYPED_WRONG:
        meant = set(difflib.get_close_matches(word, sorted(known), n=3, cutoff=_ALIKE))
    return frozenset(meant)


def _begins(other: str, word: str) -> bool:
    return len(word) > _SHORTEST_STEM and other.startswith(word)


def _stem(word: str) -> str:
    """Take the plural's s away, which a hurried reader types or leaves out."""
    plural = word.endswith("s") and not word.endswith(("ss", "us", "is"))
    return word[:-1] if plural and len(word) > _SHORTEST_STEM else word
