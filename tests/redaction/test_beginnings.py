"""A pattern that is tried where it begins finds what it finds when it is tried everywhere."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_nb.redaction.beginnings import Beginning, folded
from runbook_nb.redaction.patterns import PATTERNS, PERSONAL

BEGINNINGS = [
    pytest.param(pattern, id=f"{kind}-{number}")
    for number, (kind, pattern) in enumerate((*PATTERNS, *PERSONAL))
    if isinstance(pattern, Beginning)
]
# What patterns are made of, in every size of letter, and what stands between.
PIECES = st.sampled_from(
    [
        *("password", "PassWd", "passphrase", "PWD", "secret", "Secret_Access_Key", "api-key"),
        *("access_key", "authKey", "private key", "ENCRYPTION_KEY", "account-key", "routing_key"),
        *("integration_key", "service_role_key", "anon_key", "signing-key", "webhook_key"),
        *("client_assertion", "db-pass", "db.pass", "token", "page_token", "x-amz-signature"),
        *("x-goog-credential", "sig", "signature", "--password", "-u", "--token", "--user", "-a"),
        *("login", "user", "identified by", "is", "was", "<password>", "</password>", "key", "id"),
        *("name", "value", "content", "otp", "TOTP", "2fa", "pin", "verification code"),
        *("mysql", "7z", "docker login", "redis-cli", "ldapsearch", "unzip", "mosquitto_pub"),
        *("smbclient", "-passin pass:", "openssl enc", "curl", "--cookie", "--from-literal"),
        *("sqlplus", "net use", "/user", "echo", "--password-stdin", "--with-token", "<<<"),
        *("PGPASSWORD", "SSHPASS", "-p", "-P", "-k", "-w", "-U", "tel:", "+49 30 1234567"),
        *(
            "(030) 123-4567",
            "030-123-4567",
            "+4930123456789",
            "\u017f",
            "\u0131",
            "\u0130",
            "\u212a",
        ),
        *("PA\u017f\u017fWORD", "\u017fecret", "to\u212aen", "p\u0131n", "\u017f\u0131g", "ß", "é"),
        *("=", ":", " = ", "=>", " ", "\n", "\t", '"', "'", "&quot;", "|", ";", "/", "%", "-", "_"),
        *(
            "Zq8vTn2L",
            "hunter2!",
            "x1y2z3a4b5",
            "4096",
            "1234",
            "abc",
            "{",
            "}",
            "(",
            ")",
            "<",
            ">",
        ),
    ]
)


@pytest.mark.parametrize("pattern", BEGINNINGS)
@settings(max_examples=150)
@given(pieces=st.lists(PIECES, min_size=1, max_size=14))
@example(pieces=["accesssecret", "=", "Zq8vTn2L"])
@example(pieces=["PA\u017f\u017fWORD", "=", "Zq8vTn2L"])
def test_nothing_is_passed_over_and_nothing_is_added(pattern, pieces):
    """The same places and groups, in the same order."""
    text = "".join(pieces)

    here = [(found.span(), found.groups()) for found in pattern.finditer(text)]
    everywhere = [(found.span(), found.groups()) for found in pattern.pattern.finditer(text)]
    assert here == everywhere


def test_most_of_what_a_text_could_hold_is_looked_for_where_it_begins():
    """The list above holds something for each of them."""
    assert len(BEGINNINGS) >= 20


def test_a_folded_text_has_each_letter_at_its_place():
    """Also where a small letter is two, or is no small letter of its own."""
    every = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x20000)]))

    assert len(folded(every)) == len(every)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        same = re.compile(letter, re.IGNORECASE)
        assert {every[place.start()] for place in same.finditer(every)} == {
            each for each in every if folded(each) == letter
        }
