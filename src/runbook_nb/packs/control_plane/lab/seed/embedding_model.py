"""The embedding model behind the Gemini emulator: texts about one subject lie close together.

Each word has a direction of its own, and a word of the lab's subjects that of its subject too. A
text is the sum of its words. Another model has other directions, so that vectors of two models
tell nothing of each other.
"""

import math
import random
import re
from collections import Counter
from functools import cache
from typing import Final

from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES

# The model that the platform's library is embedded with, and the length that its index takes.
MODEL: Final = "gemini-embedding-001"
DIMENSIONS: Final = 1536
# What the model gives when it is not asked for fewer.
FULL: Final = 3072

# How much of a word is its own, beside what it says of its subject.
_OWN: Final = 1.1
_WORD: Final = re.compile(r"[a-z0-9]+")
_STOP: Final = frozenset(
    {"a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "our"}
    | {"play", "proven", "the", "they", "to", "us", "we", "what", "which", "with"}
)


def embed(text: str, *, model: str = MODEL, dimensions: int = DIMENSIONS) -> list[float]:
    """Return the vector of a text, as long as asked; only the full one has the length 1.

    The shorter ones are the beginning of the full one, as the partner's are.
    """
    total = [0.0] * dimensions
    for word, times in Counter(_words(text)).items():
        weight = _OWN * math.sqrt(times)
        total = [a + weight * b for a, b in zip(total, _direction(model, word, dimensions))]  # noqa: B905
        if subject := _subjects().get(word):
            total = [a + b for a, b in zip(total, _direction(model, subject, dimensions))]  # noqa: B905
    return _scaled(total, math.sqrt(dimensions / FULL))


def unit(vector: list[float]) -> list[float]:
    """Return the vector with the length 1, as the library keeps it."""
    return _scaled(vector, 1)


def tokens(text: str) -> int:
    """Return how many tokens a text counts: about four characters each."""
    return max(1, round(len(text) / 4))


def _words(text: str) -> list[str]:
    found = [word for word in _WORD.findall(text.lower()) if word not in _STOP]
    # A text without a word of its own is still some text.
    return found or ["empty"]


@cache
def _subjects() -> dict[str, str]:
    """Return the subject of each word that only one subject has."""
    found: dict[str, set[str]] = {}
    for theme in THEMES:
        for phrase in (theme.category, *theme.verbs, *theme.objects):
            for word in _WORD.findall(phrase.lower()):
                found.setdefault(word, set()).add(theme.category)
    return {word: of.pop() for word, of in found.items() if len(of) == 1 and word not in _STOP}


@cache
def _direction(model: str, name: str, dimensions: int) -> tuple[float, ...]:
    # The same for ever, and nothing secret is drawn.
    draw = random.Random(f"{model}/{name}").random  # noqa: S311
    return tuple(draw() - 0.5 for _ in range(dimensions))


def _scaled(vector: list[float], length: float) -> list[float]:
    factor = length / math.hypot(*vector)
    return [number * factor for number in vector]
