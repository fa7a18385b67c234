"""Pictures without the words they carry, still pictures."""

import base64

import pytest

from runbook_nb.redaction.images import without_texts

SECRET = b"the password is correct-horse"
SCREEN = b"\x01\x00\x01\x00\x80\x00\x00" + b"\x00\x00\x00\xff\xff\xff"
IMAGE = b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
CONTROL = b"\x21\xf9\x04\x00\x0a\x00\x00\x00"
LOOPS = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
COMMENT = b"\x21\xfe" + bytes([len(SECRET)]) + SECRET + b"\x00"
XMP = b"\x21\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\x00"


def chunk(name, body):
    return name + len(body).to_bytes(4, "little") + body + b"\x00" * (len(body) % 2)


def webp(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def cleaned(picture):
    found = without_texts(base64.b64encode(picture).decode())
    return None if found is None else base64.b64decode(found)


def test_a_gif_keeps_its_pictures_and_its_pace_and_loses_its_words():
    """Comments, XMP, and what follows its end."""
    head, pieces = b"GIF89a" + SCREEN, [COMMENT, LOOPS, CONTROL, IMAGE, XMP, CONTROL, IMAGE]
    found = cleaned(head + b"".join(pieces) + b"\x3b" + SECRET)

    assert found == head + LOOPS + CONTROL + IMAGE + CONTROL + IMAGE + b"\x3b"


def test_a_webp_keeps_what_draws_and_loses_its_words():
    """Its head no longer says that it has them."""
    head = chunk(b"VP8X", b"\x2c\x00\x00\x00" + b"\x00" * 6)
    drawn = chunk(b"VP8L", b"\x2f\x00\x00\x00\x00\x88\x88\x08")
    found = cleaned(webp(head, drawn, chunk(b"EXIF", SECRET), chunk(b"XMP ", SECRET)))

    assert SECRET not in found
    assert drawn in found
    assert found[20] == 0
    assert int.from_bytes(found[4:8], "little") == len(found) - 8


def segment(mark, body):
    return bytes([0xFF, mark]) + (len(body) + 2).to_bytes(2, "big") + body


def test_a_jpeg_keeps_its_scans_and_loses_its_words():
    """EXIF, a profile, comments between two scans, and what follows its end."""
    head = b"\xff\xd8" + segment(0xE0, b"JFIF\x00") + segment(0xDB, b"table")
    scan = segment(0xDA, b"scan") + b"pixels\xff\x00and\xff\xd0more"
    words = segment(0xE1, SECRET) + segment(0xE2, SECRET) + segment(0xFE, SECRET)
    found = cleaned(head + words + scan + words + segment(0xC4, b"t") + scan + b"\xff\xd9" + SECRET)

    assert found == head + scan + segment(0xC4, b"t") + scan + b"\xff\xd9"


@pytest.mark.parametrize(
    "picture",
    [
        b"RIFF\x04\x00\x00\x00WAVE" + SECRET,
        b"GIF89a" + SCREEN + SECRET,
        b"GIF89a" + SCREEN + IMAGE[:5],
        webp(chunk(b"VP8L", b"x"))[:-1] + b"\xff" * 9,
        b"BM" + SECRET,
        b"\xff\xd8" + segment(0xDA, b"scan") + SECRET,
        b"",
    ],
)
def test_what_is_no_whole_picture_is_none(picture):
    """It could hold anything."""
    assert cleaned(picture) is None
