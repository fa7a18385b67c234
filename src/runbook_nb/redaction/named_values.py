"""Values that stand under the name of a secret, which no pattern sees on its own.

The name may be a key, another entry of a row (``{"name": "db_password", "value": "x"}``), the
first of a pair, the head of a column, or the option before it in a command.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from runbook_nb.redaction.names import names_secret

NAMED: Final = "[masked: named secret]"
# What is written in capitals with underscores is the name of a secret, not its value.
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{0,40}(?:_[A-Z0-9]{1,40}){1,10}")
# A name is one word: a sentence that speaks of a password names none.
_WORD: Final = re.compile(r"[\w.$/-]{1,64}")
# Rows of settings, headers, variables and differences: which entry names, and which ones hold.
_NAMING: Final = frozenset(
    [
        *("name", "key", "k", "id", "kind", "type", "label", "title", "header", "field"),
        *("parameter", "variable", "property", "attribute", "column", "setting"),
    ]
)
_VALUED: Final = frozenset(
    [
        *("value", "val", "v", "values", "current", "data", "content", "contents", "default"),
        *("text", "new", "old", "before", "after", "from", "to", "stringdata", "string", "setting"),
    ]
)
_HEADS: Final = ("columns", "fields", "headers", "header")
_BODIES: Final = ("rows", "values", "data", "records")
_PAIR: Final = 2
_OPENING: Final = re.compile(r"\S*(?:\d|[^\w\s]|\S{16})\S*")


def under(key: str, item: Any) -> Any:
    """Return a value as it may stand under a key."""
    several = isinstance(item, list | tuple | set | frozenset | Mapping)
    if several and not names_secret(key):
        key = key.removesuffix("s")
    if not names_secret(key) or item is None or isinstance(item, bool):
        return item
    if isinstance(item, str):
        return NAMED if item and not _NAME.fullmatch(item) else item
    # A figure behind a token is a count, as one behind "pass" is; behind any other name of a
    # secret it is a code that opens.
    if isinstance(item, int | float):
        return item if "token" in key.casefold() or key.casefold() == "pass" else NAMED
    if isinstance(item, Mapping):
        return {name: under(key, each) for name, each in item.items()}
    return [under(key, each) for each in item] if several else NAMED


def of_row(row: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """Return a mapping whose values stand under the rules of the names in its other entries."""
    small = {key: str(key).casefold() for key in row}
    naming = [row[key] for key in row if small[key] in _NAMING]
    if any(isinstance(name, str) and _names(name) for name in naming):
        return {
            key: NAMED if small[key] in _VALUED and holds(item) else item
            for key, item in row.items()
        }
    return _of_table(row, small)


def of_list(rows: list[Any]) -> list[Any]:
    """Return a list without what stands behind a name: in a pair, or as an option's value."""
    if len(rows) == _PAIR and _names(rows[0]) and _opens(rows[1]):
        return [rows[0], NAMED]
    kept = list(rows)
    for place, (name, item) in enumerate(pairwise(rows), start=1):
        is_option = isinstance(name, str) and name.startswith("-") and "=" not in name
        if is_option and _names(name.lstrip("-")) and not str(item).startswith("-"):
            kept[place] = NAMED
    return kept


def holds(item: Any) -> bool:
    """Tell whether a value says anything."""
    return item is not None and item != "" and not isinstance(item, bool)


def _names(name: Any) -> bool:
    return isinstance(name, str) and bool(_WORD.fullmatch(name)) and names_secret(name)


def _opens(item: Any) -> bool:
    """Tell what could be a secret from a plain word, such as the next name of a list."""
    if isinstance(item, str):
        return bool(_OPENING.fullmatch(item)) and not names_secret(item)
    return holds(item) and not isinstance(item, float)


def _of_table(row: Mapping[Any, Any], small: Mapping[Any, str]) -> Mapping[Any, Any]:
    """Return a table whose head stands in one entry and whose rows in another."""
    head = next((row[key] for key in row if small[key] in _HEADS), None)
    if not isinstance(head, list | tuple):
        return row
    shut = [place for place, name in enumerate(head) if _names(name)]
    if not shut:
        return row
    return {
        key: _without_columns(item, shut) if small[key] in _BODIES else item
        for key, item in row.items()
    }


def _without_columns(rows: Any, shut: Sequence[int]) -> Any:
    if not isinstance(rows, list | tuple):
        return rows
    return [
        [NAMED if place in shut and holds(item) else item for place, item in enumerate(row)]
        if isinstance(row, list | tuple)
        else row
        for row in rows
    ]
