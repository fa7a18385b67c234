"""Words of a command as the arguments of a probe: text, parameters, and what is left open."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.authoring.importer.checks.draft import Name
from runbook_nb.authoring.importer.placeholders import parameter_name
from runbook_nb.runbook.blanks import FILL_IN

VARIABLE: Final = re.compile(r"\$\{?([A-Za-z_]\w*)\}?")
# How authors write that something else stands there.
_LEFT_OPEN: Final = re.compile(
    r"\.\.\.|…|^[A-Z][A-Z0-9]*[_-][A-Z0-9_-]+$|\b[xX]{3,}\b|^NAME(?:SPACE)?$|[*\[\]]"
)


def _argument(word: str) -> str | Name | None:
    """Return a word as an argument; None where a variable is only a part of it."""
    if found := VARIABLE.fullmatch(word):
        return Name(parameter_name(found[1]))
    if _LEFT_OPEN.search(word):
        return f"{FILL_IN} {word}"
    return None if "$" in word or "`" in word else word


def arguments(words: Sequence[str]) -> tuple[str | Name, ...] | None:
    """Return words as arguments; None where a variable is only a part of one."""
    found = tuple(_argument(word) for word in words)
    return None if None in found else tuple(each for each in found if each is not None)
