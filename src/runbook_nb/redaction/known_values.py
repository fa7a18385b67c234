"""Secret values that this process knows, found in every spelling."""

import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final
from urllib.parse import quote_plus, unquote

from runbook_nb.redaction.beginnings import folded
from runbook_nb.redaction.decoding import Decoding, bare, one_way, untagged
from runbook_nb.redaction.names import names_secret

# Shorter values are words such as "lab" or "8000"; masking them would eat the record.
SECRET_MINIMUM: Final = 8
# Passwords that are words of every record: masking them would blank what it is about.
ORDINARY: Final = frozenset(
    [
        "administrator",
        "changeme",
        "database",
        "default",
        "development",
        "localhost",
        "password",
        "passw0rd",
        "platform",
        "postgres",
        "postgresql",
        "production",
        "readonly",
        "readwrite",
        "runbook",
        "runbooks",
        "secret",
        "service",
        "services",
        "staging",
        "superuser",
        "testing",
        "test1234",
        "12345678",
        "123456789",
        "1234567890",
        "username",
        "welcome",
    ]
)
# A value is looked for with its letters torn apart only when it is long enough to be no word.
TORN_MINIMUM: Final = 12
_BARE_MINIMUM: Final = 8  # of them that are no blank, quote, comma, bar, plus or backslash
_LINE_MINIMUM: Final = 16
_IN_BASE64: Final = re.compile(r"[A-Za-z0-9+/=_-]{0,8192}")
_PASSWORD: Final = re.compile(r"://[^\s:/@]{0,128}:([^\s]{1,256})@")
# A connection string of keywords: `host=h password='it''s'`.
_KEYWORD: Final = re.compile(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.){1,256})'|([^\s']{1,256}))")
# At these a driver cuts a connection string that was written wrong.
_PARTING: Final = re.compile(r"[\s@:/?#&=%'\"\\\[\]]+")
Span = tuple[int, int]


class KnownSecrets:
    """Known secret values, in capitals or small letters, and in the codes of ``encodings``.

    A value of 12 characters or more is found too where blanks, line breaks, quotes, commas or tags
    part it.
    """

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._plain: list[str] = []
        self._bare: list[str] = []
        self._base64: list[str] = []

    def __bool__(self) -> bool:
        """Tell whether any value is known."""
        return bool(self._values)

    def learn(self, values: Iterable[str], *, words: Collection[str] = ()) -> None:
        """Look for these values from now on, and for the secrets within them.

        Ordinary words, and the project's own ``words``, are left: they stand in every record.
        """
        self._values.update(
            part
            for value in values
            for part in _parts(value)
            if len(part) >= SECRET_MINIMUM and not _is_ordinary(part, words)
        )
        plain = {form for value in self._values for form in _plain(value)}
        long = (bare(Decoding(form)).text for form in plain if len(form) >= TORN_MINIMUM)
        # Programs write hosts in small letters, and names of variables in capitals.
        self._plain = list({folded(form) for form in plain})
        self._bare = list({folded(form) for form in long if len(form) >= _BARE_MINIMUM})
        self._base64 = list({form for value in self._values for form in _base64(value)})

    def spans(self, text: Decoding) -> Iterator[Span]:
        """Return where a known value stands in a text, however it is spelled."""
        if not self._values:
            return
        readings = [text, *text.layers]
        for reading in (*readings, *one_way(text)):
            yield from _found(reading, self._plain, reading.folded)
        # Tags go before and after decoding: a secret may itself hold what looks like one.
        shown = untagged(text)
        joined = (text, readings[-1], *(shown, *shown.layers)[-1:], untagged(readings[-1]))
        for reading in dict.fromkeys(joined):
            for each in (reading, bare(reading)):
                yield from _found(each, self._bare, each.folded)
                for start, end in _found(each, self._base64, each.text):
                    yield _whole_block(text.text, start, end)


def has_ordinary(value: str, *, words: Collection[str] = ()) -> bool:
    """Tell whether a secret, or the password in it, is too short or too common to be looked for."""
    opening = [part for part in _parts(value) if part != value] or [value]
    return all(len(part) < SECRET_MINIMUM or _is_ordinary(part, words) for part in opening)


def _is_ordinary(part: str, words: Collection[str]) -> bool:
    return part.casefold() in ORDINARY or part.casefold() in words


def _found(reading: Decoding, needles: Iterable[str], text: str) -> Iterator[Span]:
    """Return where needles stand in a text that is as long as the reading."""
    for needle in needles:
        place = text.find(needle)
        while place >= 0:
            yield reading.back(place, place + len(needle))
            place = text.find(needle, place + 1)


def _parts(value: str) -> Iterator[str]:
    """Return a secret and what opens something within it: a password, a line, a field."""
    yield value
    # The password of a DSN can turn up alone, in an error of the driver, and a piece of it where
    # the driver read the rest as a host, a port or a path.
    for match in (*_PASSWORD.finditer(value), *_KEYWORD.finditer(value)):
        found = next(filter(None, match.groups()))
        yield from {found, unquote(found)}
        for form in (found, unquote(found)):
            yield from (piece for piece in _PARTING.split(form) if _is_no_word(piece))
    # A traceback shows single lines of a key file.
    if "\n" in value:
        yield from (line for line in map(str.strip, value.splitlines()) if _is_long(line))
    if value.lstrip().startswith("{"):
        yield from _fields(value)


def _fields(value: str) -> Iterator[str]:
    try:
        fields = json.loads(value)
    except ValueError:
        return
    yield from (x for name, x in fields.items() if isinstance(x, str) and names_secret(name))


def _is_no_word(piece: str) -> bool:
    """Tell whether a piece of a password can be looked for: no word that other texts use too."""
    is_mixed = any(map(str.isdigit, piece)) and any(map(str.isalpha, piece))
    return len(piece) >= (SECRET_MINIMUM if is_mixed else TORN_MINIMUM)


def _is_long(line: str) -> bool:
    return len(line) >= _LINE_MINIMUM and not line.startswith("-----")


def _plain(value: str) -> set[str]:
    coded = value.encode("utf-8", "surrogatepass")
    decoded = {reading.text for reading in Decoding(value).layers}
    forms = {value, quote_plus(coded), coded.hex(), coded.hex().upper(), *decoded}
    return {form for form in forms if len(form) >= SECRET_MINIMUM}


def _base64(value: str) -> Iterator[str]:
    """Return the part of a value's base64 that does not depend on what stands around it."""
    coded = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        block = base64.b64encode(b"\0" * before + coded).decode()
        # A letter of base64 holds six bits: the first and last may belong to a neighbour too.
        middle = block[(before * 8 + 5) // 6 : (before + len(coded)) * 8 // 6]
        if len(middle) >= SECRET_MINIMUM:
            yield from {middle, middle.translate(str.maketrans("+/", "-_"))}
            yield middle.replace("+", "")


def _whole_block(text: str, start: int, end: int) -> Span:
    """Widen a find to the block of base64 it stands in, whose rest could be joined to it."""
    before = _IN_BASE64.match(text[max(0, start - 8192) : start][::-1])
    after = _IN_BASE64.match(text, end)
    assert before is not None  # noqa: S101 - the pattern matches nothing too
    assert after is not None  # noqa: S101 - likewise
    return start - len(before[0]), after.end()
