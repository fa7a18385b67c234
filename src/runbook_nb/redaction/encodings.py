"""Stretches of a text that are a code as a whole, and what they open to.

What is looked for, and what is not, stands in one table, which the report and the documentation
show. A stretch that cannot be opened to text is left: a digest and an id are no secret.
"""

import base64
import binascii
import bz2
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

# A code in a code in a code, such as base64 of hexadecimal in a URL.
LAYERS: Final = 3
# What a known secret, and one with a form of its own, is found in.
COVERED: Final = (
    "as it stands, in capitals and in small letters",
    "JSON, Python, shell and octal escapes (\\n, \\x2f, \\057, \\u002f, \\u{2f})",
    "percent signs and a form's plus, up to three times over",
    "HTML entities, up to three times over",
    "quoted-printable, with its soft line breaks",
    "base64, standard and for URLs, with and without padding, wrapped, also within a longer block",
    "base64 of UTF-16, as PowerShell takes it",
    "base32, standard and hex, in capitals and in small letters",
    "hexadecimal, in one word or parted (7a:71, 7a 71, 0x7a, 0x71)",
    "numbers of bytes (122 113), binary (01111010), code points (U+007A)",
    "gzip, zlib, bzip2 and xz, in base64 or hexadecimal",
    "parted by line breaks, blanks, quotes, commas, pluses, tags, colours and unseen marks",
    "parted over neighbouring texts of a list, or as a list of bytes",
    "full-width and other compatible letters, and letters with combining marks",
)
NOT_COVERED: Final = (
    "reversed, shifted (ROT13) or encrypted texts",
    "base85, base58, uuencode, CSS escapes (\\2f ) and names of characters (\\N{SOLIDUS})",
    "hexadecimal dumps with offsets and a column of letters",
    "parted over other words, over lines with a time, over columns, rows or values of a table",
    "letters with dots or dashes between them",
    "drawn in a picture, spoken, or in a compressed file",
)

_WORD: Final = re.compile(r"[A-Za-z0-9+/_-]{16,65536}={0,6}")
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_BASE32: Final = re.compile(r"(?:[A-Z2-7]+|[a-z2-7]+)=*")
_BASE32_HEX: Final = re.compile(r"(?:[0-9A-V]+|[0-9a-v]+)=*")
# Compressed data begin with the same letters in base64, wherever the block stands.
_PACKED: Final = re.compile(
    r"(?:H4sI|eJ[w-z]|eN[o-r]|eA[E-H]|eF[4-7]|Qlpo|/Td6)[A-Za-z0-9+/_-]{16,65536}"
    r"(?:[ \t]{0,9}\r?\n[ \t>|]{0,40}[A-Za-z0-9+/_-]{4,1024}){0,4096}"
)
_WRAP: Final = re.compile(r"[\s>|]+")
_PACKED_CLUES: Final = ("H4sI", "eJ", "eN", "eA", "eF", "Qlpo", "/Td6")
_LISTED: Final = re.compile(
    r"(?<!\w)(?:(?:0[xX]|[uU]\+)?[0-9a-fA-F]{2,8}[\s,:;.-]{1,3}){5,16384}"
    r"(?:0[xX]|[uU]\+)?[0-9a-fA-F]{2,8}(?!\w)"
)
_PARTS: Final = re.compile(r"[\s,:;.-]+")
_UNPACKED_LIMIT: Final = 262_144  # bytes; a bomb opens to no more
_GZIP_OR_ZLIB: Final = 47  # as zlib calls it: the largest window, told by the header
_FEW: Final = 6  # letters; a shorter text holds no secret that could be told
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


class Opened(NamedTuple):
    """A stretch of a text, and the text that it opens to."""

    start: int
    end: int
    text: str


def opened(text: str) -> Iterator[Opened]:
    """Return the stretches of a text that are a code and open to a text."""
    for match in _WORD.finditer(text):
        yield from (Opened(*match.span(), found) for found in _of_word(match[0]))
    if any(clue in text for clue in _PACKED_CLUES):
        for match in _PACKED.finditer(text):
            packed = text_of(_from_base64(_WRAP.sub("", match[0])))
            if packed is not None:
                yield Opened(*match.span(), packed)
    for match in _LISTED.finditer(text):
        spelled = _of_numbers(_PARTS.split(match[0]))
        if spelled is not None:
            yield Opened(*match.span(), spelled)


def text_of(data: bytes) -> str | None:
    """Return the text that some bytes are, packed or not; None where they are none."""
    data = _unpacked(data)
    if len(data) < _FEW:
        return None
    # UTF-16 of letters has a zero beside each.
    for zeros, code in ((data[1::2], "utf-16-le"), (data[::2], "utf-16-be")):
        if not any(zeros):
            return data.decode(code, "replace")
    try:
        found = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROLS.search(found) else found


def _unpacked(data: bytes) -> bytes:
    """Return what packed bytes open to, within a limit; all others as they are."""
    try:
        if data.startswith((b"\x1f\x8b", b"\x78")):
            return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(data, _UNPACKED_LIMIT)
        if data.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(data, _UNPACKED_LIMIT)
        if data.startswith(b"\xfd7zXZ"):
            return lzma.LZMADecompressor().decompress(data, _UNPACKED_LIMIT)
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        pass
    return data


def _of_word(word: str) -> Iterator[str]:
    bare = word.rstrip("=")
    decoded = [_from_base64(bare)]
    if _HEX.fullmatch(bare) and len(bare) % 2 == 0:
        decoded.append(bytes.fromhex(bare))
    if _BASE32.fullmatch(word):
        decoded.append(_from_base32(bare, base64.b32decode))
    if _BASE32_HEX.fullmatch(word):
        decoded.append(_from_base32(bare, base64.b32hexdecode))
    yield from (found for data in decoded if (found := text_of(data)) is not None)


def _from_base64(block: str) -> bytes:
    plain = block.rstrip("=").translate(str.maketrans("-_", "+/"))
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4))
    except binascii.Error:
        return b""


def _from_base32(block: str, decode: Callable[[str], bytes]) -> bytes:
    whole = block.upper()[: len(block) - len(block) % 8 + _BASE32_RESTS[len(block) % 8]]
    try:
        return decode(whole + "=" * (-len(whole) % 8))
    except binascii.Error:
        return b""


# How many letters of a last, unfinished group hold whole bytes.
_BASE32_RESTS: Final = (0, 0, 2, 2, 4, 5, 5, 7)


def _of_numbers(parts: list[str]) -> str | None:
    """Return the text that a row of numbers spells, in whichever way it can be meant."""
    if all(part[:2] in ("U+", "u+") for part in parts):
        codes = [int(f"0x{part[2:]}", 0) for part in parts]
        return "".join(map(chr, codes)) if max(codes) <= sys.maxunicode else None
    pairs = [part.removeprefix("0x").removeprefix("0X") for part in parts]
    if all(len(part) == 8 and not part.strip("01") for part in pairs):  # noqa: PLR2004 - bits
        return text_of(bytes(int(part, 2) for part in pairs))
    found = None
    if all(part.isdecimal() and int(part) < 256 for part in parts):  # noqa: PLR2004 - a byte
        found = text_of(bytes(map(int, parts)))
    if all(len(part) % 2 == 0 and _HEX.fullmatch(part) for part in pairs):
        found = found or text_of(bytes.fromhex("".join(pairs)))
    return found
