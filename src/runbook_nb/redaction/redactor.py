"""The redactor: masks, makes harmless and cuts every text on its way to disk."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from itertools import accumulate, chain, groupby
from operator import itemgetter
from typing import Any, Final

from runbook_nb.redaction.beginnings import Finder
from runbook_nb.redaction.clues import may_hold
from runbook_nb.redaction.decoding import Decoding, unwrapped
from runbook_nb.redaction.encodings import LAYERS, opened, text_of
from runbook_nb.redaction.known_values import KnownSecrets
from runbook_nb.redaction.named_values import of_list, of_row, under
from runbook_nb.redaction.patterns import FIRM, PATTERNS, PERSONAL
from runbook_nb.redaction.spans import WITHHELD, SecretSpan, replaced
from runbook_nb.text.control_characters import visible
from runbook_nb.text.values import Json

TEXT_LIMIT: Final = 20_000  # characters of one text; a screen shows about 4,000
ROWS_LIMIT: Final = 200  # rows of one list
DEPTH_LIMIT: Final = 12  # levels of one value
# RFC 8785 allows integers that a double holds exactly.
_INTEGER_LIMIT: Final = 2**53 - 1
# Masking a part can bring another to light; a text that does not come to rest is withheld.
_ROUNDS: Final = 8
_REMEMBERED: Final = 512  # texts; the cells of the longest runbook, twice
_KNOWN: Final = "[masked: known value]"
_PHONE_MINIMUM: Final = 7  # digits
_DIGITS: Final = re.compile(r"\D")
Table = tuple[tuple[str, tuple[Finder, ...]], ...]


def _by_kind(patterns: Iterable[tuple[str, Finder]]) -> Table:
    """Put neighbours of one kind together, so that its clues are looked for once."""
    groups = groupby(patterns, key=itemgetter(0))
    return tuple((kind, tuple(pattern for _, pattern in group)) for kind, group in groups)


_PATTERNS: Final = _by_kind(PATTERNS)
_FIRM: Final = _by_kind(FIRM)
_PERSONAL: Final = _by_kind(PERSONAL)


class Redactor:
    """Masks known secret values, what looks like a secret, and whom it concerns.

    ``secrets`` are exact values. ``allowed`` texts, such as the contacts of a runbook, stay, and
    so do the project's own ``words``, also where a secret is one of them.
    """

    def __init__(
        self,
        secrets: Iterable[str] = (),
        *,
        allowed: Iterable[str] = (),
        words: Collection[str] = (),
    ) -> None:
        self._words = words
        self._allowed = frozenset(form for text in allowed for form in _forms(text))
        self._known = KnownSecrets()
        # A record masks and reports on the same texts; a text is masked once.
        self._settled = lru_cache(maxsize=_REMEMBERED)(self._settle)
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these exact values from now on; very short ones are left, being ordinary words."""
        self._known.learn(secrets, words=self._words)
        self._settled.cache_clear()

    def mask(self, text: str, *, signature: bool = False) -> str:
        """Return the text without secrets; withhold all of it if masking fails.

        In a signature, the name of who acted, an address stays: approvals are held to it.
        """
        return self._settled(text, signature)

    def _settle(self, text: str, signature: bool) -> str:  # noqa: FBT001 - the cache takes no names
        try:
            for _ in range(_ROUNDS):
                whole = Decoding(text)
                masked = replaced(text, self._secrets_in(whole))
                if masked == text and not signature:
                    # Only now: the host behind a password is no part of an address.
                    masked = replaced(text, self._people_in(whole))
                if masked == text:
                    return text
                text = masked
        except Exception:  # noqa: BLE001 - whatever broke, the text must not get out
            return WITHHELD
        return WITHHELD

    def _secrets_in(self, whole: Decoding, layer: int = 0) -> Iterator[SecretSpan]:
        for start, end in self._known.spans(whole):
            yield SecretSpan(start, end, "known value")
        for reading in (whole, *whole.layers):
            yield from _matches(reading, _PATTERNS)
            if joined := unwrapped(reading):
                yield from _matches(joined, _FIRM)
        if layer < LAYERS:
            for code in opened(whole.text):
                # All of a code goes: its rest could be joined to what was masked.
                for found in self._secrets_in(Decoding(code.text), layer + 1):
                    yield SecretSpan(code.start, code.end, found.kind)
                    break

    def _people_in(self, whole: Decoding) -> Iterator[SecretSpan]:
        for reading in (whole, *whole.layers):
            for found in _matches(reading, _PERSONAL):
                # Judged as it stands: what is allowed is known in its plain form.
                if not self._allowed.intersection(_forms(whole.text[found.start : found.end])):
                    yield found

    def text(self, text: str, *, signature: bool = False) -> str:
        """Return the text masked, harmless on any screen, and cut to size."""
        # Cut far above the limit first: patterns over megabytes would hold up the run. The
        # margin is masked with the rest, so that a secret on the cut edge is not half shown.
        margin = TEXT_LIMIT * 2
        masked = self.mask(visible(text[:margin]), signature=signature)
        if len(masked) > TEXT_LIMIT or len(text) > margin:
            return f"{masked[:TEXT_LIMIT]} … [cut: {len(text):,} characters in all]"
        return masked

    def clean(self, value: Any, depth: int = 0) -> Json:
        """Return any value as JSON that is masked, harmless, cut to size and canonical."""
        if depth > DEPTH_LIMIT:
            return "[cut: nested too deep]"
        if is_dataclass(value) and not isinstance(value, type):
            # Our own fields are no row: the title of a step names no secret beside it.
            return self._mapping(asdict(value), depth)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return self._mapping(of_row(value), depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._rows(list(value), depth)
        return self._scalar(value)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Json:
        items = list(value.items())
        kept = {
            self.text(str(key)): self.clean(under(str(key), item), depth + 1)
            for key, item in items[:ROWS_LIMIT]
        }
        if len(items) > ROWS_LIMIT:
            kept["…"] = f"[cut: {len(items):,} entries in all]"
        return kept

    def _rows(self, rows: list[Any], depth: int) -> Json:
        whole = self._without_parted(of_list(rows[:ROWS_LIMIT]))
        kept = [self.clean(row, depth + 1) for row in whole]
        if len(rows) > ROWS_LIMIT:
            kept.append(f"[cut: {len(rows):,} rows in all]")
        return kept

    def _without_parted(self, rows: list[Any]) -> list[Any]:
        """Mask the texts of a list that hold a known secret only together, or as bytes."""
        if len(rows) < 2:  # noqa: PLR2004 - nothing is parted
            return rows
        if all(type(row) is int and 0 <= row < 256 for row in rows):  # noqa: PLR2004 - bytes
            spelled = text_of(bytes(rows)) or ""
            return [_KNOWN] if any(self._secrets_in(Decoding(spelled))) else rows
        if not all(isinstance(row, str) for row in rows):
            return rows
        if self._known:
            spans = self._known.spans(Decoding("".join(rows)))
            rows = _parted(rows, (SecretSpan(*span, "known value") for span in spans), between=0)
        if any(row.startswith("-") for row in rows):
            # The words of a command, one by one.
            rows = _parted(rows, self._secrets_in(Decoding(" ".join(rows))), between=1)
        return rows

    def _scalar(self, value: Any) -> Json:  # noqa: PLR0911 - one line for each kind of value
        if isinstance(value, Enum):
            return self._scalar(value.value)
        if isinstance(value, int):
            return value if abs(value) <= _INTEGER_LIMIT else str(value)
        if isinstance(value, float):
            return value if value - value == 0 else str(value)
        if isinstance(value, datetime):
            return value.isoformat().replace("+00:00", "Z")
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, bytes):
            return f"[{len(value):,} bytes]"
        return self.text(str(value))


def _parted(rows: list[str], found: Iterable[SecretSpan], *, between: int) -> list[str]:
    """Mask each text that a find in all of them together reaches into, if it is not in one alone.

    ``between`` is how many letters stand between two of them where they were put together.
    """
    ends = list(accumulate(len(row) + between for row in rows))
    masked = list(rows)
    for span in found:
        first, last = bisect_right(ends, span.start), bisect_left(ends, span.end)
        if first < last or between:
            mark = f"[masked: {span.kind}]"
            masked[first : last + 1] = [mark] * (min(last, len(rows) - 1) + 1 - first)
    return masked


def _matches(reading: Decoding, table: Table) -> Iterator[SecretSpan]:
    """Return where the patterns of a table match; only a group that matched is the secret."""
    for kind, patterns in table:
        if not may_hold(kind, reading.folded):
            continue
        for match in chain.from_iterable(each.finditer(reading.text) for each in patterns):
            start, end = match.span(match.lastindex or 0)
            yield SecretSpan(*reading.back(start, end), kind)


def _forms(text: str) -> set[str]:
    """Return an address in small letters, or a telephone number as its digits."""
    digits = _DIGITS.sub("", text)
    is_number = "@" not in text and len(digits) >= _PHONE_MINIMUM
    return {digits} if is_number else {text.casefold()}
