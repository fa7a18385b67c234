"""Pictures without the words that they carry: comments, software, camera, place."""

import base64
import binascii
import struct
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_OTHERS: Final = (b"GIF87a", b"GIF89a", b"RIFF")
# The chunks that draw the picture (PNG 3, section 11); text, EXIF, time and private ones go.
_DRAWING: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS cHRM gAMA sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT".split()
)
_CHUNK: Final = struct.Struct(">I4s")
_SCAN: Final = 0xDA  # from here on a JPEG holds pixels
# Comment, EXIF and XMP, Photoshop: APP1, APP13, COM.
_WORDY: Final = frozenset({0xE1, 0xED, 0xFE})


def without_texts(encoded: str) -> str | None:
    """Return a picture (base64) without its texts, and None for what is no whole picture.

    PNG and JPEG are cleaned; GIF and WebP are told by their first bytes and left as they are.
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
    return picture if picture.startswith(_OTHERS) else None


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
    """Drop the segments that hold words, up to the pixels."""
    kept, place = [_JPEG], len(_JPEG)
    while picture[place + 1] != _SCAN:
        if picture[place] != 0xFF:  # noqa: PLR2004 - every segment begins with it
            raise ValueError
        end = place + 2 + int.from_bytes(picture[place + 2 : place + 4])
        if picture[place + 1] not in _WORDY:
            kept.append(picture[place:end])
        place = end
    return b"".join([*kept, picture[place:]])
