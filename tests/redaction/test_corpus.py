"""Planted secrets of every system leave nothing behind; what only looks like one is left alone."""

import base64
import html
import json
import re
import struct
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planted import CORES, PLANTED
from runbook_nb.redaction import Redactor
from runbook_nb.redaction.outputs import masked_notebook

ALIKE = (
    "mission 3f2b8c1e-7c52-4a5e-9d57-0d3f2b8c1e7c",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 0bea447f1d2c3b4a5968778695a4b3c2d1e0f9a8",
    "2026-11-25T08:39:35.123456Z",
    "2026-11-25 08:39:35+00:00",
    "ca_8Hq2LmPz account ACTIVE",
    "req_01J9Z8Y7X6W5V4T3S2R1Q0",
    "runbook-nb 0.1.0, PostgreSQL 18.6 on x86_64",
    "10.0.0.12:5432 and [2001:db8::1]:443",
    "heartbeat_lag_p95 = 9400.5 ms",
    "20261123T180404.000000Z-heartbeat_failure_recovery",
    "INC-2041 SEV2 PIR-77",
    "token count: 1234",
    "token: 4096",
    "tokens=128000",
    "max_tokens=4096",
    "total_token_usage: 123456789",
    "column api_key_id, index idx_token_hash",
    "design=responsive",
    "select id, secret_version from vault",
    "The password must be changed.",
    "bearer of bad news",
    "a basic understanding",
    "cookies: none",
    "+3 missions, +12.5 %",
    "offset +02:00",
    "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    "POST /api/v3.1/connected_accounts/ca_1/refresh → 200 in 12 ms",
    "SHA256:u7Q0pJY2n0ZqHn8sWcQm2v0b1nE3a5c7e9g1i3k5m7o",
    "gemini-2.0-flash, text-embedding-004",
)
MARK = "[masked: known value]"
KNOWN = 'pa55/w0rd+"horse&battery'


@pytest.mark.parametrize("kind", PLANTED)
def test_a_secret_of_every_system_is_masked(kind):
    """Without being told of it, in the middle of a log line."""
    masked = Redactor().text(f"10:04 error {PLANTED[kind]} refused")

    assert "[masked" in masked
    assert not [core for core in CORES if core in masked]


@pytest.mark.parametrize("text", ALIKE)
def test_what_only_looks_like_a_secret_is_left_alone(text):
    """A record without its ids and figures would be no record."""
    assert Redactor([KNOWN]).text(f"x {text} y") == f"x {text} y"


@pytest.mark.parametrize(
    "spelled",
    [
        KNOWN,
        html.escape(KNOWN),
        "".join(f"&#{ord(letter)};" for letter in KNOWN),
        "".join(f"&#x{ord(letter):x};" for letter in KNOWN),
        json.dumps(KNOWN),
        "".join(f"\\u{ord(letter):04x}" for letter in KNOWN),
        quote(KNOWN, safe=""),
        "".join(f"%{ord(letter):02X}" for letter in KNOWN),
        base64.b64encode(KNOWN.encode()).decode(),
        base64.b64encode(f"svc:{KNOWN}".encode()).decode(),
        base64.b64encode(f"ab{KNOWN}cd".encode()).decode(),
        base64.urlsafe_b64encode(f"abc{KNOWN}".encode()).decode(),
        f"{KNOWN[:9]}\n{KNOWN[9:]}",
        f"{KNOWN[:5]}\r\n    {KNOWN[5:14]}\n    {KNOWN[14:]}",
        f"{KNOWN[:9]}\\n{KNOWN[9:]}",
        f"{KNOWN[:9]}\x1b[1m{KNOWN[9:]}",
    ],
)
def test_a_known_secret_is_gone_in_every_spelling(spelled):
    """Masked in its place, and the words around it stay."""
    masked = Redactor([KNOWN]).text(f"answer: {spelled} (end)")

    assert re.fullmatch(r'answer: "?\[masked: known value\]"? \(end\)', masked)


@given(
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    secret=st.text("abXY09-_/+ ", min_size=12),
)
def test_a_known_secret_is_gone_wherever_it_stands(before, after, secret):
    """Any neighbours, any letters."""
    assert secret not in Redactor([secret]).text(before + secret + after) or secret in MARK


@given(st.lists(st.sampled_from([*PLANTED.values(), *ALIKE, "x", "\n", '"', "="]), max_size=6))
def test_masking_what_is_masked_changes_nothing(parts):
    """A text may pass on its way through two processes."""
    redactor = Redactor([KNOWN])
    once = redactor.text(" ".join(parts))

    assert redactor.text(once) == once


@pytest.mark.parametrize(
    "unit",
    [
        "token=",
        "password:",
        '\\"',
        "&quot;",
        "+1 2 ",
        "eyJa.",
        "Basic ",
        "://a:",
        "%3D",
        "AQ.",
        "a@",
    ],
)
def test_no_hostile_text_holds_masking_up(unit):
    """Each is done in a moment; an unbounded pattern takes minutes."""
    import time

    began = time.process_time()
    Redactor([KNOWN]).text(unit * 10_000)

    assert time.process_time() - began < 5


def png_with_words(words: bytes) -> bytes:
    """Return a picture of one point in which a program left some words."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", head), chunk(b"tEXt", b"Comment\0" + words)]
    parts += [chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


MIME = {
    "text/plain": KNOWN,
    "text/html": f"<b title='{html.escape(KNOWN)}'>x</b>",
    "text/markdown": f"`{KNOWN}`",
    "text/latex": f"${KNOWN}$",
    "image/svg+xml": f"<svg><text>{html.escape(KNOWN)}</text></svg>",
    "application/javascript": f"let a = {json.dumps(KNOWN)}",
    "application/json": {"deep": [{"er": KNOWN, KNOWN: 1}]},
    "application/vnd.plotly.v1+json": {"data": [{"text": [KNOWN]}]},
    "application/geo+json": {"type": KNOWN},
    "image/png": base64.b64encode(png_with_words(KNOWN.encode())).decode(),
}


def test_a_notebook_with_a_secret_everywhere_is_saved_without_it():
    """Sources, streams, every MIME type, errors, attachments, names and all metadata."""
    outputs = [
        {"output_type": "display_data", "data": {mime: value}, "metadata": {"note": KNOWN}}
        for mime, value in MIME.items()
    ]
    outputs += [
        {"output_type": "stream", "name": "stdout", "text": f"a {KNOWN} b"},
        {
            "output_type": "error",
            "ename": KNOWN,
            "evalue": f"refused {KNOWN}",
            "traceback": [f"\x1b[31m{KNOWN[:9]}\x1b[0m{KNOWN[9:]}"],
        },
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "data": {"text/plain": repr(KNOWN)},
            "metadata": {},
        },
    ]
    code = {
        "cell_type": "code",
        "source": f"connect({KNOWN!r})",
        "metadata": {"tags": [KNOWN], "papermill": {"parameters": {"p": KNOWN}}},
        "execution_count": 1,
        "outputs": outputs,
    }
    words = {
        "cell_type": "markdown",
        "source": f"Use {KNOWN}.",
        "metadata": {},
        "attachments": {f"{KNOWN}.png": {"image/png": MIME["image/png"]}},
    }
    metadata = {"papermill": {"parameters": {"password": "short", "x": KNOWN}}, KNOWN: 1}
    notebook = {"cells": [code, words], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    written = json.dumps(masked_notebook(notebook, Redactor([KNOWN])), ensure_ascii=False)

    assert KNOWN not in written
    for spelled in (html.escape(KNOWN), json.dumps(KNOWN)[1:-1], '"short"', KNOWN[9:]):
        assert spelled not in written
    pictures = [part for part in written.split('"') if part.startswith("iVBOR")]
    assert len(pictures) == 2
    for picture in pictures:
        content = base64.b64decode(picture)
        assert b"tEXt" not in content
        assert content.endswith(b"IEND\xaeB`\x82")
