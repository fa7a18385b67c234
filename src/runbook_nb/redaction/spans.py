"""Stretches of a text that are to be masked: put together, and replaced by marks of their kind."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

WITHHELD: Final = "[withheld: masking failed]"
MARK: Final = re.compile(r"\[masked: ([a-z0-9 -]{1,30})\]|\[(withheld): masking failed\]")
_WORD: Final = re.compile(r"\w")


class SecretSpan(NamedTuple):
    """A stretch of a text that holds a secret, and of which kind."""

    start: int
    end: int
    kind: str


def replaced(text: str, found: Iterable[SecretSpan]) -> str:
    """Return a text with every stretch replaced by the mark of its kind.

    Stretches that overlap become one, of the kind that was found first. Marks that stand in the
    text already stay, so that masking twice is masking once.
    """
    order = {each: place for place, each in enumerate(dict.fromkeys(found))}
    marks = [match.span() for match in MARK.finditer(text)]
    merged = _merged(order)
    parts, done = [], 0
    for each in (piece for whole in merged for piece in _around(whole, marks)):
        if _WORD.search(text, each.start, each.end):
            parts += [text[done : each.start], f"[masked: {each.kind}]"]
            done = each.end
    return "".join([*parts, text[done:]])


def _merged(order: dict[SecretSpan, int]) -> list[SecretSpan]:
    """Join what overlaps; the kind is that of the find that came first."""
    merged: list[SecretSpan] = []
    ranks: list[int] = []
    for each in sorted(order):
        if merged and each.start < merged[-1].end:
            last, rank = merged[-1], order[each]
            kind = each.kind if rank < ranks[-1] else last.kind
            merged[-1] = SecretSpan(last.start, max(last.end, each.end), kind)
            ranks[-1] = min(rank, ranks[-1])
        else:
            merged.append(each)
            ranks.append(order[each])
    return merged


def _around(found: SecretSpan, marks: Iterable[tuple[int, int]]) -> list[SecretSpan]:
    """Return a stretch without the marks that stand in it."""
    pieces = []
    start = found.start
    for first, last in marks:
        if first < found.end and last > start:
            if first > start:
                pieces.append(SecretSpan(start, first, found.kind))
            start = last
    if start < found.end:
        pieces.append(SecretSpan(start, found.end, found.kind))
    return pieces
