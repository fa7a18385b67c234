"""Masking, cutting and making harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_nb.redaction import ROWS_LIMIT, TEXT_LIMIT, Redactor, names_secret
from runbook_nb.redaction.spans import WITHHELD, SecretSpan

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r"
SECRETS = {
    "jwt": JWT,
    "dsn": "postgresql://reader:s3cr3t-pa55@db.internal:5432/postgres",
    "bearer": "Authorization: Bearer abcdef0123456789",
    "slack": "xoxb-1234567890-abcdefghij",
    "google": "AIzaSyA1234567890abcdefghijklmnopqrstuv",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "github": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "supabase": "sb_secret_abcdefghijklmnop1234",
    "fly": "fm2_lJPECAAAAAAAAxyz0123456789",
    "composio": "ak_abcdefghijkl1234",
    "key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "named": 'password="hunter2hunter2"',
    "json": '{"api_key": "0123456789abcdef"}',
    "mail": "customer.name@example.org",
}
HARMLESS = (
    "token_usage is 123456789",
    "Heartbeat lag p95 over 15 minutes",
    "mission 3f2b8c1e-7c52-4a5e-9d57-0d3f2b8c1e7c",
    "2026-11-23T03:00:00Z",
    "lag_ms = 9400.5",
)


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_is_masked(kind):
    """Without being told of it."""
    masked = Redactor().text(f"error: {SECRETS[kind]} was refused")
    core = SECRETS[kind].split("://")[-1].split("@")[0].split(":")[-1].split('"')[-2:][0]

    assert "[masked" in masked
    assert SECRETS[kind] not in masked
    assert len(core) < 6 or core.strip() not in masked


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_words_stay(text):
    """A record without its figures would be no record."""
    assert Redactor().text(text) == text


def test_known_values_are_masked_wherever_they_stand():
    """Also inside of other words, and the longest first."""
    redactor = Redactor(["hunter22", "hunter22-and-more"])

    mark = "[masked: known value]"
    assert redactor.text("xhunter22-and-morex hunter22y") == f"x{mark}x {mark}y"


def test_contacts_of_the_runbook_stay():
    """A responder must know whom to call."""
    redactor = Redactor(allowed=["ops-oncall@company.com"])

    assert redactor.text("call ops-oncall@company.com") == "call ops-oncall@company.com"


def test_escape_sequences_control_and_direction_marks_become_visible():
    """Nothing acts on the reader's screen."""
    text = Redactor().text("\x1b[31mred\x1b]0;title\x07\x00 \u202egnp.exe \u2066x\u2069")

    assert text == "red⟨U+0000⟩ ⟨U+202E⟩gnp.exe ⟨U+2066⟩x⟨U+2069⟩"


def test_sizes_are_cut_and_said():
    """Five megabytes of output are not evidence."""
    cut = Redactor().text("x" * 5_000_000)
    rows = Redactor().clean(list(range(1000)))

    assert len(cut) < TEXT_LIMIT + 100
    assert "5,000,000" in cut
    assert len(rows) == ROWS_LIMIT + 1
    assert "1,000 rows" in rows[-1]


def test_a_secret_on_the_cut_edge_is_not_half_shown():
    """Masking comes before cutting."""
    secret = "s" * 40
    text = Redactor([secret]).text("x" * (TEXT_LIMIT - 20) + secret)

    assert "ss" not in text


def test_when_masking_breaks_the_text_is_withheld(monkeypatch):
    """It fails closed."""
    redactor = Redactor()
    redactor._known = [None]

    assert redactor.text("anything") == "[withheld: masking failed]"


@pytest.mark.parametrize(
    ("name", "is_secret"),
    [
        ("DB_PASSWORD", True),
        ("SUPABASE_SERVICE_ROLE_KEY", True),
        ("FLY_TOKEN", True),
        ("metadata_key", False),
        ("token_usage", False),
    ],
)
def test_names_of_secrets_are_known(name, is_secret):
    """By what they end in."""
    assert names_secret(name) is is_secret


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_anything_becomes_canonical_json(value):
    """Whatever a probe answers can be written and hashed."""
    import rfc8785

    assert rfc8785.dumps(Redactor().clean(value))


@pytest.mark.parametrize("unit", ["x-", "://:", "a@", "a.", "token ", "-----BEGIN ", "eyJ"])
def test_no_text_holds_masking_up(unit):
    """A hostile line is done in a moment; unbounded patterns take minutes."""
    import time

    began = time.process_time()
    Redactor().text(unit * 30_000)

    assert time.process_time() - began < 5


def test_a_secret_split_by_an_escape_sequence_is_masked():
    """What the screen would join is joined first."""
    masked = Redactor(["correct-horse-battery"]).text("correct\x1b[0m-horse-battery")

    assert masked == "[masked: known value]"


@pytest.mark.parametrize("spelled", ["a&amp;b&quot;c/d e", r"a&b\"c/d e", "a%26b%22c%2Fd%20e"])
def test_a_known_secret_is_masked_in_every_spelling(spelled):
    """In HTML, JSON and a URL."""
    assert Redactor(['a&b"c/d e']).text(spelled) == "[masked: known value]"


@pytest.mark.parametrize("secret", ["blue42x", "postgres", "Production", "heartbeats"])
def test_what_is_too_short_or_a_word_of_every_record_stays(secret):
    """Masked by its value, it would blank what the record is about."""
    text = f"The {secret} of the night."

    assert Redactor([secret], words={"heartbeats"}).text(text) == text
    assert Redactor(["blue42xy"]).text("The blue42xy.") == "The [masked: known value]."


def test_a_signature_keeps_an_address_and_no_secret():
    """Who approved is held against who asked."""
    redactor = Redactor(["zq7-correct-horse"])

    assert redactor.text("ada@company.com", signature=True) == "ada@company.com"
    assert "ada" not in redactor.text("ada@company.com")
    assert "horse" not in redactor.text("zq7-correct-horse", signature=True)


def test_a_text_that_does_not_come_to_rest_is_withheld():
    """Masking a part may bring another to light, and nobody knows what is left."""

    class Restless(Redactor):
        def _secrets_in(self, whole, layer=0):  # noqa: ARG002 - as the redactor has it
            place = next((at for at, letter in enumerate(whole.text) if letter.isdigit()), -1)
            if place >= 0:
                yield SecretSpan(place, place + 1, "digit")

    assert Restless().mask("1 2") == "[masked: digit] [masked: digit]"
    assert Restless().mask(" ".join("1234567890")) == WITHHELD
