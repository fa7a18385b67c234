"""Pictures without the words that they carry: comments, software, camera, place."""

import base64
import binascii
import re
import struct
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_GIF: Final = (b"GIF87a", b"GIF89a")
_RIFF: Final = b"RIFF"
# The chunks that draw the picture (PNG 3, section 11); text, EXIF, time and private ones go.
_DRAWING: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT".split()
)
_CHUNK: Final = struct.Struct(">I4s")
_SCAN: Final = 0xDA  # from here on a JPEG holds pixels
# What a GIF is made of (GIF89a, sections 18 to 26).
_GIF_HEAD: Final = 13  # signature and screen
_TABLE: Final = 0x80  # a table of colours follows, of 2 to the power of the low bits plus 1
_IMAGE, _EXTENSION, _END = 0x2C, 0x21, 0x3B
_CONTROL: Final = 0xF9  # how long a picture of a row stands
_APPLICATION: Final = 0xFF
_LOOPS: Final = b"\x0bNETSCAPE2.0"  # how often the row is shown
# The chunks of a WebP that draw; EXIF, XMP and the profile go, and their marks in the head.
_WEBP_DRAWING: Final = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF"))
_WEBP_WORDY: Final = 0x20 | 0x08 | 0x04
_JPEG_END: Final = 0xD9
_NEXT_MARK: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Comments, and what programs add (EXIF, XMP, profile, Photoshop); JFIF and Adobe's say how to draw.
_WORDY: Final = frozenset({0xFE, *range(0xE1, 0xF0)} - {0xEE})


def without_texts(encoded: str) -> str | None:
    """Return a picture (base64) without its texts, and None for what is no whole picture.

    PNG, JPEG, GIF and WebP are cleaned; nothing else is taken for a picture.
    """
    try:
        picture = base64.b64decode("".join(encoded.split()), validate=True)
        cleaned = _cleaned(picture)
    except (binascii.Error, ValueError, struct.error, IndexError):
        return None
    if cleaned is None:
        return None
    return encoded if cleaned == picture else base64.b64encode(cleaned).decode("ascii")


def _cleaned(picture: bytes) -> bytes | None:
    if picture.startswith(_PNG):
        return _cleaned_png(picture)
    if picture.startswith(_JPEG):
        return _cleaned_jpeg(picture)
    if picture.startswith(_GIF):
        return _cleaned_gif(picture)
    if picture.startswith(_RIFF) and picture[8:12] == b"WEBP":
        return _cleaned_webp(picture)
    return None


def _cleaned_png(picture: bytes) -> bytes:
    """Keep the chunks that draw, up to the end; what follows the end is no part of a picture."""
    kept, place = [_PNG], len(_PNG)
    while place < len(picture):
        length, name = _CHUNK.unpack_from(picture, place)
        end = place + length + 12
        if end > len(picture):
            raise ValueError
        if name in _DRAWING:
            kept.append(picture[place:end])
        if name == b"IEND":
            break
        place = end
    return b"".join(kept)


def _cleaned_jpeg(picture: bytes) -> bytes:
    """Keep the segments that draw, in all scans, up to the end; nothing follows a picture."""
    kept, place = [_JPEG], len(_JPEG)
    while picture[place + 1] != _JPEG_END:
        if picture[place] != 0xFF:  # noqa: PLR2004 - every segment begins with it
            raise ValueError
        name = picture[place + 1]
        end = place + 2 + int.from_bytes(picture[place + 2 : place + 4])
        if name == _SCAN:
            # Within the pixels, a mark that is none has a zero behind it, or counts from D0 to D7.
            found = _NEXT_MARK.search(picture, end)
            if found is None:
                raise ValueError
            end = found.start()
        if name not in _WORDY:
            kept.append(picture[place:end])
        place = end
    return b"".join([*kept, b"\xff", bytes([_JPEG_END])])


def _cleaned_gif(picture: bytes) -> bytes:
    """Keep the pictures and how they are shown; comments, texts and XMP go."""
    place = _GIF_HEAD + _colours(picture[10])
    kept = [picture[:place]]
    while picture[place] != _END:
        begin = place
        if picture[place] == _IMAGE:
            place = _behind_blocks(picture, place + 11 + _colours(picture[place + 9]))
            kept.append(picture[begin:place])
        elif picture[place] == _EXTENSION:
            place = _behind_blocks(picture, begin + 2)
            is_loops = picture[begin + 2 :].startswith(_LOOPS)
            if picture[begin + 1] == _CONTROL or (picture[begin + 1] == _APPLICATION and is_loops):
                kept.append(picture[begin:place])
        else:
            raise ValueError
    return b"".join([*kept, bytes([_END])])


def _colours(packed: int) -> int:
    """Return the bytes of the table of colours that a packed byte tells of."""
    return 3 * 2 ** ((packed & 7) + 1) if packed & _TABLE else 0


def _behind_blocks(picture: bytes, place: int) -> int:
    """Step over blocks, each of its length, up to the empty one."""
    while picture[place]:
        place += picture[place] + 1
    return place + 1


def _cleaned_webp(picture: bytes) -> bytes:
    """Keep the chunks that draw."""
    kept, place = [], 12
    while place < len(picture):
        name = picture[place : place + 4]
        size = int.from_bytes(picture[place + 4 : place + 8], "little")
        end = place + 8 + size + size % 2
        if end - size % 2 > len(picture):
            raise ValueError
        chunk = picture[place:end]
        if name == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_WEBP_WORDY]) + chunk[9:]
        if name in _WEBP_DRAWING:
            kept.append(chunk)
        place = end
    body = b"WEBP" + b"".join(kept)
    return _RIFF + len(body).to_bytes(4, "little") + body
