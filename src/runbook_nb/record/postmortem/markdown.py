"""Words of others as plain Markdown: nothing in them becomes markup, a link or a cell."""

import re
from collections.abc import Sequence
from typing import Final

from runbook_nb.text.formatting import one_line

_MARKUP: Final = re.compile(r"([\\`*\[\]~$]|(?<!\w)_|_(?!\w))")
# These mean something only where a line begins.
_BEGINS: Final = re.compile(r"^([#+=-]|\d+[.)])")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "@": "&#64;"}
# Forges make links of bare addresses too.
_LINKED: Final = re.compile(r"(?i)(https?|ftp|www)([:.])")


def plain(text: object, limit: int = 600) -> str:
    """Return any text on one line that a reader of Markdown sees as it is."""
    said = one_line(text, limit)
    for sign, entity in _ENTITIES.items():
        said = said.replace(sign, entity)
    said = _LINKED.sub(lambda match: f"{match[1]}&#{ord(match[2])};", said)
    return _BEGINS.sub(r"\\\1", _MARKUP.sub(r"\\\1", said))


def code(text: object, limit: int = 300) -> str:
    """Return any text on one line as code, where nothing is markup."""
    said = one_line(text, limit).replace("`", "'").replace("|", "¦")
    return f"`{said}`" if said else ""


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return a table of texts that are plain already."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]
