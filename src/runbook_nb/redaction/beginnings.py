"""Patterns that are tried only where one of their beginnings stands.

Python's engine tries a pattern at every letter of a text, unless the pattern begins with a letter
that is no small or capital one. A card is 15,000 letters long, and holds a few names of secrets.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Protocol

# What the engine takes for the same letter in other sizes, and ``str.lower`` does not.
_SAME: Final = {"\u017f": "s", "\u0131": "i", "\u0130": "i"}


class Finder(Protocol):
    """What finds a secret in a text: a pattern, or one that begins at known places."""

    def finditer(self, text: str, /) -> Iterator[re.Match[str]]:
        """Return what is found, from left to right and apart from each other."""


@lru_cache(maxsize=4)
def folded(text: str) -> str:
    """Return a text in small letters, each at its place, as the engine holds them for the same.

    One text is asked for by many patterns, one after the other.
    """
    for letter, same in _SAME.items():
        text = text.replace(letter, same)
    return text.lower()


class Beginning:
    """A pattern whose finds all begin at ``begins``, a pattern of small letters.

    ``begins`` takes one letter and looks ahead for the others: what it finds must not hide what
    begins within.
    """

    def __init__(self, begins: str, pattern: str) -> None:
        self.pattern = re.compile(pattern)
        self._begins = re.compile(begins)

    def finditer(self, text: str, /) -> Iterator[re.Match[str]]:
        """Return what the pattern alone would find in all of the text."""
        done = 0
        for begin in self._begins.finditer(folded(text)):
            if begin.start() >= done and (found := self.pattern.match(text, begin.start())):
                yield found
                done = found.end()
