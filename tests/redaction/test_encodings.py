"""A secret is found in the codes that the table names, and the table is the documentation."""

import base64
import bz2
import gzip
import lzma
import quopri
import zlib
from pathlib import Path

import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.redaction.encodings import COVERED, NOT_COVERED, opened

SECRET = "zq7-correct/horse+battery"
RAW = SECRET.encode()
AROUND = b"user and more text: " + RAW + b", and the rest of it"


def b64(data):
    return base64.b64encode(data).decode()


CODED = {
    "capitals": SECRET.upper(),
    "small letters": SECRET.lower(),
    "octal": "".join(f"\\{each:03o}" for each in RAW),
    "some octal": "zq7-correct\\057horse\\053battery",
    "braces": "".join(f"\\u{{{each:x}}}" for each in RAW),
    "quoted-printable": quopri.encodestring(RAW, quotetabs=True).decode(),
    "all quoted": "".join(f"={each:02X}" for each in RAW),
    "soft line breaks": "zq7-corr=\nect/horse=2Bbattery",
    "header word": "=?utf-8?b?" + b64(RAW) + "?=",
    "without padding": b64(RAW).rstrip("="),
    "for URLs": base64.urlsafe_b64encode(b"?>" + RAW).decode(),
    "twice": b64(b64(RAW).encode()),
    "of hexadecimal": b64(RAW.hex().encode()),
    "hexadecimal of base64": b64(RAW).encode().hex(),
    "for PowerShell": b64(f"echo {SECRET}".encode("utf-16-le")),
    "UTF-16 the other way": b64(f"echo {SECRET}".encode("utf-16-be")),
    "base32": base64.b32encode(RAW).decode(),
    "base32 without padding": base64.b32encode(AROUND).decode().rstrip("="),
    "small base32": base64.b32encode(RAW).decode().lower(),
    "base32 hex": base64.b32hexencode(RAW).decode(),
    "hexadecimal": RAW.hex(),
    "mixed hexadecimal": RAW.hex()[:9].upper() + RAW.hex()[9:],
    "colons": RAW.hex(":"),
    "blanks": RAW.hex(" ").upper(),
    "dashes": RAW.hex("-"),
    "C": "{" + ", ".join(f"0x{each:02X}" for each in RAW) + "}",
    "numbers": " ".join(map(str, RAW)),
    "a list as text": str(list(RAW)),
    "binary": " ".join(f"{each:08b}" for each in RAW),
    "code points": " ".join(f"U+{each:04X}" for each in RAW),
    "gzip": b64(gzip.compress(AROUND)),
    "gzip for URLs": base64.urlsafe_b64encode(gzip.compress(AROUND)).decode(),
    "wrapped gzip": base64.encodebytes(gzip.compress(AROUND * 3)).decode(),
    "hexadecimal gzip": gzip.compress(AROUND).hex(),
    "zlib": b64(zlib.compress(AROUND)),
    "fast zlib": b64(zlib.compress(AROUND, 1)),
    "best zlib": b64(zlib.compress(AROUND, 9)),
    "bzip2": b64(bz2.compress(AROUND)),
    "xz": b64(lzma.compress(AROUND)),
    "a list": f"['{SECRET[:9]}', '{SECRET[9:]}']",
    "full width": "".join(chr(each + 0xFEE0) for each in RAW),
    "combining": f"{SECRET[:5]}\u0301{SECRET[5:]}",
}


@pytest.mark.parametrize("code", CODED)
def test_a_known_secret_is_gone_in_a_code(code):
    """And the words around it stay."""
    coded = CODED[code]
    masked = Redactor([SECRET]).mask(f"it said {coded} at last")

    assert "[masked: known value]" in masked
    assert masked.startswith("it said ")
    assert masked.endswith(" at last")
    assert not [part for part in coded.split() if len(part) > 7 and part in masked]


@pytest.mark.parametrize("code", ["base32", "gzip", "for PowerShell", "twice", "colons"])
def test_a_secret_with_a_form_of_its_own_is_gone_in_a_code(code):
    """Nobody has told of it; it was coded as the known one is."""
    token = b"ghp_" + b"q7Zr2Kx9Tn4Wd8Lm1Vb6Hy3Gc5Jf0PsAbCdE"
    coded = {
        "base32": base64.b32encode(token).decode(),
        "gzip": b64(gzip.compress(token)),
        "for PowerShell": b64(token.decode().encode("utf-16-le")),
        "twice": b64(b64(token).encode()),
        "colons": token.hex(":"),
    }
    assert coded[code][:20] not in Redactor().mask(f"x {coded[code]} y")


@pytest.mark.parametrize(
    "value",
    [
        [SECRET[:9], SECRET[9:]],
        ["before", SECRET[:4], SECRET[4:14], SECRET[14:], "after"],
        (SECRET[:9], SECRET[9:]),
        {"lines": [f"a {SECRET[:9]}", f"{SECRET[9:]} b"]},
        list(SECRET),
        list(RAW),
    ],
)
def test_a_secret_that_is_parted_over_a_list_is_gone(value):
    """Each text alone says nothing."""
    cleaned = str(Redactor([SECRET]).clean(value))

    assert "[masked: known value]" in cleaned
    assert SECRET[9:14] not in cleaned
    assert str(RAW[9]) not in cleaned


def test_neighbours_in_a_list_that_hold_no_secret_stay():
    """A list of names, of figures, and of options."""
    value = {
        "names": ["zq7-correct", "elsewhere"],
        "figures": [122, 113, 55, 45, 99, 111],
        "command": ["psql", "-U", "reader", "-h", "db"],
        "heads": ["password", "email", "name"],
    }
    assert Redactor([SECRET]).clean(value) == value


@pytest.mark.parametrize(
    "text",
    [
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "00:1a:2b:3c:4d:5e and 2001:0db8:85a3:0000:0000:8a2e:0370:7334",
        "2026-11-25 08:39:35 10 20 30 40 50 60 70 80",
        "H4sIAAAAAAAA/heartbeat_failure_recovery",
        "0x41, 0x42, U+0041 41 42 43 44 45 46",
        "eJw= BZh PRODUCTIONDATABASE",
    ],
)
def test_what_only_looks_like_a_code_stays(text):
    """Digests, addresses, times, measurements, and packed data that are cut."""
    assert Redactor([SECRET]).mask(text) == text


def test_what_opens_to_very_much_is_opened_in_part_only():
    """A few letters of a packed text can stand for gigabytes."""
    bomb = b64(gzip.compress(b"a" * 50_000_000))
    (found,) = {each.text for each in opened(bomb)}

    assert len(found) < 1_000_000


def test_the_table_is_documented(pytestconfig):
    """Who relies on it reads the same lines as the record shows."""
    page = (Path(pytestconfig.rootpath) / "README.md").read_text(encoding="utf-8")

    assert [line for line in (*COVERED, *NOT_COVERED) if line not in page] == []
