"""The redactor: masks, makes harmless and cuts every text on its way to disk."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from re import Match
from typing import Any, Final

from runbook_nb.model import Json
from runbook_nb.redaction.patterns import PATTERNS, names_secret
from runbook_nb.redaction.screen import visible
from runbook_nb.redaction.spellings import (
    TORN_MINIMUM,
    encoded,
    spellings,
    torn,
    views,
    without_blanks,
)

TEXT_LIMIT: Final = 20_000  # characters of one text; a screen shows about 4,000
ROWS_LIMIT: Final = 200  # rows of one list
DEPTH_LIMIT: Final = 12  # levels of one value
# Shorter values are words such as "lab" or "8000"; masking them would eat the record.
SECRET_MINIMUM: Final = 6
# RFC 8785 allows integers that a double holds exactly.
_INTEGER_LIMIT: Final = 2**53 - 1


class Redactor:
    """Masks known secret values and what looks like a secret; counts what it masked.

    ``secrets`` are exact values. ``allowed`` texts, such as the contacts of a runbook, stay.
    """

    def __init__(self, secrets: Iterable[str] = (), *, allowed: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._allowed = frozenset(allowed)
        self.counts: Counter[str] = Counter()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these exact values from now on; very short ones are left, being ordinary words."""
        self._secrets.update(value for value in secrets if len(value) >= SECRET_MINIMUM)
        spelled = {spelling for value in self._secrets for spelling in spellings(value)}
        # The longest first, so that a secret that contains another is masked whole.
        self._known = sorted(spelled, key=len, reverse=True)
        self._long = [value for value in self._secrets if len(value) >= TORN_MINIMUM]
        self._torn = [torn(value) for value in self._long]

    def mask(self, text: str) -> str:
        """Return the text without secrets; withhold all of it if masking fails."""
        try:
            text = self._without_known(text)
            for name, pattern in PATTERNS:
                text = pattern.sub(partial(self._masked, name), text)
            if self._can_be_read(text):
                self.counts["withheld"] += 1
                return "[withheld: a secret in another spelling]"
        except Exception:  # noqa: BLE001 - whatever broke, the text must not get out
            self.counts["withheld"] += 1
            return "[withheld: masking failed]"
        return text

    def _without_known(self, text: str) -> str:
        for spelled in self._known:
            if spelled in text:
                self.counts["known value"] += text.count(spelled)
                text = text.replace(spelled, "[masked]")
        if "\n" in text:
            for pattern in self._torn:
                text, count = pattern.subn("[masked]", text)
                self.counts["known value"] += count
        for block in encoded(text, self._secrets) if self._secrets else ():
            text = text.replace(block, "[masked]")
            self.counts["known value"] += 1
        return text

    def _can_be_read(self, text: str) -> bool:
        """Tell whether a known secret still shows to whoever decodes the text."""
        if not self._secrets:
            return False
        read = views(text)
        if any(secret in view for view in read for secret in self._secrets):
            return True
        bare = [without_blanks(view) for view in (text, *read)] if self._long else []
        return any(secret in view for view in bare for secret in self._long)

    def text(self, text: str) -> str:
        """Return the text masked, harmless on any screen, and cut to size."""
        # Cut far above the limit first: patterns over megabytes would hold up the run. The
        # margin is masked with the rest, so that a secret on the cut edge is not half shown.
        margin = TEXT_LIMIT * 2
        masked = self.mask(visible(text[:margin]))
        if len(masked) > TEXT_LIMIT or len(text) > margin:
            return f"{masked[:TEXT_LIMIT]} … [cut: {len(text):,} characters in all]"
        return masked

    def clean(self, value: Any, depth: int = 0) -> Json:
        """Return any value as JSON that is masked, harmless, cut to size and canonical."""
        if depth > DEPTH_LIMIT:
            return "[cut: nested too deep]"
        if is_dataclass(value) and not isinstance(value, type):
            value = asdict(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._rows(list(value), depth)
        return self._scalar(value)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> Json:
        items = list(value.items())
        kept = {
            self.text(str(key)): self.clean(self._named(str(key), item), depth + 1)
            for key, item in items[:ROWS_LIMIT]
        }
        if len(items) > ROWS_LIMIT:
            kept["…"] = f"[cut: {len(items):,} entries in all]"
        return kept

    def _named(self, key: str, item: Any) -> Any:
        """Mask the value of a key that names a secret, which no pattern sees on its own."""
        if isinstance(item, str) and names_secret(key):
            self.counts["named secret"] += 1
            return "[masked: named secret]"
        return item

    def _rows(self, rows: list[Any], depth: int) -> Json:
        kept = [self.clean(row, depth + 1) for row in rows[:ROWS_LIMIT]]
        if len(rows) > ROWS_LIMIT:
            kept.append(f"[cut: {len(rows):,} rows in all]")
        return kept

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

    def _masked(self, name: str, match: Match[str]) -> str:
        if match.group(0) in self._allowed:
            return match.group(0)
        self.counts[name] += 1
        # The user name of a DSN helps the reader and opens nothing.
        return f"{match.group(1)}:[masked]" if name == "dsn password" else f"[masked: {name}]"
