"""Proof that nothing of a source was dropped: each of its lines is found in the draft."""

import re
from collections.abc import Sequence

from runbook_nb.authoring.commands.prompts import without_prompt

_BEFORE_FENCE = re.compile(r"^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)+(?=```|~~~)")
_SIGNS = re.compile(r"[\W_]+")


def lost_lines(lines: Sequence[str], draft: str) -> list[str]:
    """Return the lines of a source whose words are not, in this order, in one line of a draft.

    Signs do not count: they are Markdown's, or a prompt's.
    """
    kept = draft.split("\n")
    whole = {_words(line) for line in kept}
    missing = [
        line for line in lines if _content(line) and not {_words(line), _content(line)} & whole
    ]
    if not missing:
        return []
    everything = "\n".join(filter(None, map(_words, kept)))
    return [
        line
        for line in missing
        if _words(line) not in everything and _content(line) not in everything
    ]


def _content(line: str) -> str:
    """Return the words of a line without the number of a list or the prompt before them."""
    return _words(without_prompt(_BEFORE_FENCE.sub("", line)))


def _words(line: str) -> str:
    return _SIGNS.sub("", line)
