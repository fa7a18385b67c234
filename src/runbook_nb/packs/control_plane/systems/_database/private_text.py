"""Where a text holds a secret or personal data: its place and its kind, and never what it says."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, NamedTuple

from runbook_nb.redaction.beginnings import folded
from runbook_nb.redaction.clues import may_hold
from runbook_nb.redaction.names import names_secret
from runbook_nb.redaction.patterns import PATTERNS, PERSONAL

# What ends like a file is no address: logo@2x.png is an image for screens of high density.
_FILES: Final = re.compile(
    r"\.(?:png|jpe?g|gif|svg|webp|avif|ico|pdf|csv|json|ya?ml|xml|html?|css|jsx?|tsx?|py|md|txt|zip)$",
    re.IGNORECASE,
)
# What stands where something was taken out already.
_MASKED: Final = re.compile(r"redacted|masked|withheld|^[*•·.x#<>\s-]+$", re.IGNORECASE)
_SHORTEST: Final = 6
# The platform's own marks.
_MARKS: Final = {"e-mail": "[redacted-email]", "phone": "[redacted-phone]"}
_TOKEN: Final = "[redacted-token]"  # noqa: S105 - a mark


class PrivateSpan(NamedTuple):
    """A stretch of a text, from ``start`` to before ``end``, and of which kind it is."""

    start: int
    end: int
    kind: str

    @property
    def mark(self) -> str:
        """What the platform writes in its place."""
        return _MARKS.get(self.kind, _TOKEN)


def private_spans(text: str, *, name: str = "") -> list[PrivateSpan]:
    """Return the stretches of a text that are private, in order and apart from each other.

    ``name`` is the key that the text stands under. Addresses of repositories, such as
    ``git@host:path``, names of files and what is masked already are none.
    """
    if name and names_secret(name) and len(text) >= _SHORTEST and not _MASKED.search(text):
        return [PrivateSpan(0, len(text), "named secret")]
    small, found = folded(text), []
    for kind, pattern in chain(PATTERNS, PERSONAL):
        if not may_hold(kind, small):
            continue
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            if not _is_harmless(kind, text, start, end):
                found.append(PrivateSpan(start, end, kind))
    return _apart(found)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each text in a JSON value with its path, as PostgreSQL writes one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, str(place)))
    elif isinstance(value, str):
        yield path, value


def _is_harmless(kind: str, text: str, start: int, end: int) -> bool:
    said = text[start:end]
    if _MASKED.search(said):
        return True
    if kind != "e-mail":
        return False
    # A path behind a colon makes it the address of a repository on a host.
    is_remote = text[end : end + 1] == ":" and text[end + 1 : end + 2].strip() != ""
    return is_remote or bool(_FILES.search(said))


def _apart(found: list[PrivateSpan]) -> list[PrivateSpan]:
    apart: list[PrivateSpan] = []
    for each in sorted(found):
        if not apart or each.start >= apart[-1].end:
            apart.append(each)
    return apart
