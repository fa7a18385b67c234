"""What is masked, cut and made harmless before anything is written.

Three things happen to every text on its way to disk, in this order: what could act on a screen
(escape sequences, control and direction marks) is made visible, since it could also split a
secret; then secret values that this process knows are masked, and what looks like a secret. Sizes
are cut last. If masking itself fails, the text is withheld: no secret leaves because a pattern
broke.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.model import Json

TEXT_LIMIT: Final = 20_000  # characters of one text; a screen shows about 4,000
ROWS_LIMIT: Final = 200  # rows of one list
DEPTH_LIMIT: Final = 12  # levels of one value
# Shorter values are words such as "lab" or "8000"; masking them would eat the record.
SECRET_MINIMUM: Final = 6
# RFC 8785 allows integers that a double holds exactly.
_INTEGER_LIMIT: Final = 2**53 - 1

# Every repetition is bounded: an unbounded one takes minutes on a long line of dashes.
_BY_NAME: Final = (
    r"(?i)(?<![\w-])[\w-]{0,64}?(?:password|passwd|secret|api[_-]?key|access[_-]?key|token)"
    r"[\"']?\s{0,9}[:=]\s{0,9}[\"']?[^\s\"',;&}]{6,}"
)

# Order matters: the larger form first, since it contains the smaller ones.
PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "private key",
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        ),
        ("jwt", r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
        ("dsn password", r"(?<=://)([^\s:/@]{0,128}):[^\s@]{1,256}(?=@)"),
        ("authorization header", r"(?i)\b(?:bearer|basic|token token=|oauth)[ =]+[\w.~+/=-]{8,}"),
        ("named secret", _BY_NAME),
        ("slack token", r"\bxox[abeprs]-[\w-]{8,}"),
        ("google key", r"\bAIza[\w-]{30,}"),
        ("aws key", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
        ("github token", r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}"),
        ("supabase key", r"\bsb(?:p|_secret|_publishable)_[\w-]{16,}"),
        ("fly token", r"\bf(?:m1|m2|o1)[_r]?_[\w+/=-]{16,}"),
        ("prefixed key", r"\b(?:sk|pk|rk|ak|comp)[_-][\w-]{12,}"),
        ("e-mail", r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}?\.[A-Za-z]{2,24}\b"),
    )
)

# A variable in capitals that ends in KEY opens something; a column such as metadata_key does not.
_SECRET_NAME = re.compile(
    r"(?i:password|passwd|secret|api[_-]?key|authorization|credential|dsn|(?:^|[_-])token$)|KEY$"
)
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


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
        for value in secrets:
            if len(value) >= SECRET_MINIMUM:
                self._secrets.update(_spellings(value))
        # The longest first, so that a secret that contains another is masked whole.
        self._known = sorted(self._secrets, key=len, reverse=True)

    def mask(self, text: str) -> str:
        """Return the text without secrets; withhold all of it if masking fails."""
        try:
            for secret in self._known:
                if secret in text:
                    self.counts["known value"] += text.count(secret)
                    text = text.replace(secret, "[masked]")
            for name, pattern in PATTERNS:
                text = pattern.sub(partial(self._masked, name), text)
        except Exception:  # noqa: BLE001 - whatever broke, the text must not get out
            self.counts["withheld"] += 1
            return "[withheld: masking failed]"
        return text

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

    def _masked(self, name: str, match: re.Match[str]) -> str:
        if match.group(0) in self._allowed:
            return match.group(0)
        self.counts[name] += 1
        # The user name of a DSN helps the reader and opens nothing.
        return f"{match.group(1)}:[masked]" if name == "dsn password" else f"[masked: {name}]"


def visible(text: str) -> str:
    """Drop terminal escapes and show control and direction marks as their code points."""
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match.group(0)):04X}⟩", _ANSI.sub("", text))


def names_secret(name: str) -> bool:
    """Tell whether a setting, variable or key of that name holds a secret."""
    return bool(_SECRET_NAME.search(name))


def _spellings(secret: str) -> set[str]:
    """Return a secret as it stands in text, HTML, Python, JSON and a URL."""
    return {
        secret,
        html.escape(secret),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe=""),
    }
