"""A text as others read it, decoded or joined, with the way back to where each part stands."""

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final, NamedTuple
from urllib.parse import unquote

from runbook_nb.redaction.beginnings import folded

# An escape can be escaped again, as JSON within JSON within a URL.
LAYERS: Final = 3
# Every repetition is bounded, so that no text holds masking up.
_ESCAPED: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
    r"|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\u\{[0-9a-fA-F]{1,6}\}|\\0?[0-3][0-7]{2}"
    r"|\\[^\w\s]|\\[nrt]"
)
_PERCENT: Final = re.compile(r"%[0-7][0-9a-fA-F]|(?:%[89a-fA-F][0-9a-fA-F]){1,6}")
_QUOTED: Final = re.compile(r"=\r?\n|=[0-7][0-9A-F]|(?:=[89A-F][0-9A-F]){1,6}")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_ENTITY: Final = re.compile(r"&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,31});?")
_CODED: Final = re.compile("|".join(each.pattern for each in (_ESCAPED, _PERCENT, _ENTITY)))
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}
_UNSEEN: Final = (
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|⟨U\+[0-9A-F]{4,6}⟩|[\xad\u200b-\u200f\u2060\ufeff]"
)
# What may part a value: tags; blanks, quotes of joined strings, and marks that are not seen.
_TAGS: Final = re.compile(r"<[^<>]{1,300}>")
_BLANKS: Final = re.compile(rf"[\s\"'`\\+,|]{{1,500}}|{_UNSEEN}")
# A line that is nothing but more of the same word goes on with the line before.
_WRAPS: Final = re.compile(
    r"(?<=[\w+/=.~-])[\"']?[ \t]{0,40}\\?\r?\n[ \t>|]{0,40}[\"']?"
    r"(?=[\w+/=.~-]{1,512}[\"',;)\]}]{0,4}[ \t]{0,40}(?:\r?\n|\Z))"
    r"|(?<=[\w+/=.~-])[\"'][ \t]{0,9}\+?[ \t]{0,9}[\"'](?=[\w+/=.~-])"
    rf"|</?(?:wbr|span|b|i|em|strong|code|mark|font)\b[^<>]{{0,300}}>|{_UNSEEN}"
)


class _Part(NamedTuple):
    """A stretch of a reading, where it stands in its source, and whether it was changed."""

    start: int
    source: int
    length: int
    changed: bool


class Decoding:
    """A text after an edit; ``back`` tells where a stretch of it stands in the first text."""

    def __init__(
        self,
        text: str,
        *,
        source: "Decoding | None" = None,
        edit: re.Pattern[str] | None = None,
        into: Callable[[re.Match[str]], str] | None = None,
    ) -> None:
        self._source, self._edit, self._into = source, edit, into
        self.text = edit.sub(into or "", text) if edit else text

    def edited(
        self, edit: re.Pattern[str], into: Callable[[re.Match[str]], str] | None = None
    ) -> "Decoding":
        """Return this reading with every match of ``edit`` replaced, by nothing if not said."""
        return Decoding(self.text, source=self, edit=edit, into=into)

    @cached_property
    def folded(self) -> str:
        """The text in small letters, each at its place."""
        return folded(self.text)

    @cached_property
    def layers(self) -> "tuple[Decoding, ...]":
        """The text with its entities, escapes and percent signs resolved, layer by layer."""
        return tuple(_layers(self))

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch that is not empty stands in the first text."""
        if self._source is None:
            return start, end
        first, last = self._part(start), self._part(end - 1)
        begin = first.source + (0 if first.changed else start - first.start)
        finish = last.source + (last.length if last.changed else end - last.start)
        return self._source.back(begin, finish)

    def _part(self, place: int) -> _Part:
        return self._parts[bisect_right(self._parts, place, key=lambda part: part.start) - 1]

    @cached_property
    def _parts(self) -> list[_Part]:
        """Cut the source at each edit; only a reading in which something was found pays for it."""
        assert self._source is not None  # noqa: S101 - a first text is never asked
        assert self._edit is not None  # noqa: S101 - likewise
        text, parts, place, done = self._source.text, [], 0, 0
        for match in self._edit.finditer(text):
            if match.start() > done:
                parts.append(_Part(place, done, match.start() - done, changed=False))
                place += match.start() - done
            if self._into and (new := self._into(match)):
                parts.append(_Part(place, match.start(), len(match[0]), changed=True))
                place += len(new)
            done = match.end()
        return [*parts, _Part(place, done, len(text) - done, changed=False)]


def _layers(text: Decoding) -> Iterator[Decoding]:
    for _ in range(LAYERS):
        if not any(mark in text.text for mark in "\\%&"):
            return
        decoded = text.edited(_CODED, _decoded)
        if decoded.text == text.text:
            return
        yield decoded
        text = decoded


def one_way(text: Decoding) -> Iterator[Decoding]:
    """Return a text with only one kind of code resolved: a neighbour can look like another."""
    if "=" in text.text and _QUOTED.search(text.text):
        yield text.edited(_QUOTED, _unquoted)
    if not text.text.isascii():
        yield text.edited(_FOREIGN, _plain_letter)
    marks = {"\\": _ESCAPED, "%": _PERCENT, "&": _ENTITY}
    present = [code for mark, code in marks.items() if mark in text.text]
    if len(present) > 1:
        yield from (text.edited(code, _decoded) for code in present)


def bare(text: Decoding) -> Decoding:
    """Return a text without blanks, quotes and what is not seen."""
    return text.edited(_BLANKS)


def untagged(text: Decoding) -> Decoding:
    """Return a text without its tags."""
    return text.edited(_TAGS) if "<" in text.text else text


def unwrapped(text: Decoding) -> Decoding | None:
    """Return a text whose long words are whole again, and None where none is parted."""
    joined = text.edited(_WRAPS)
    return joined if joined.text != text.text else None


def _unquoted(match: re.Match[str]) -> str:
    """Return what quoted-printable stands for; a soft line break stands for nothing."""
    coded = match[0].replace("=", "%")
    return "" if coded.isspace() or coded.endswith("\n") else unquote(coded, errors="replace")


def _plain_letter(match: re.Match[str]) -> str:
    """Return the plain letter that a compatible one stands for; none for a combining mark."""
    letters = unicodedata.normalize("NFKD", match[0])
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _decoded(match: re.Match[str]) -> str:  # noqa: PLR0911 - one line for each kind of code
    coded = match[0]
    if coded[0] == "%":
        return unquote(coded, errors="replace")
    if coded[0] == "&":
        return html.unescape(coded)
    if len(coded) == 2:  # noqa: PLR2004 - a backslash and one character
        return _LETTERS.get(coded[1], coded[1])
    if coded[1] in "0123":
        return chr(int(coded[1:], 8))
    if coded[2] == "{":
        return chr(min(int(coded[3:-1], 16), 0x10FFFF))
    numbers = [int(part.lstrip("uUx"), 16) for part in coded.split("\\")[1:]]
    if len(numbers) == 2:  # noqa: PLR2004 - two halves of one character
        return chr(0x10000 + ((numbers[0] - 0xD800) << 10) + (numbers[1] - 0xDC00))
    return chr(numbers[0]) if numbers[0] < 0x110000 else coded  # noqa: PLR2004 - Unicode's end
