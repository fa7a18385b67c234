"""Clues only save time: whatever a pattern finds, its clue stands in the text."""

import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.redaction.clues import CLUES, may_hold
from runbook_nb.redaction.patterns import PATTERNS, PERSONAL

VALUE = "Zq8vTn2LxR4mKd7W"
NAMES = [
    "password",
    "Passwd",
    "PASSPHRASE",
    "pwd",
    "secret",
    "secret_key",
    "secretAccessKey",
    "secret-access-key",
    "api_key",
    "apikey",
    "API-KEY",
    "access_key",
    "auth-key",
    "privateKey",
    "encryption_key",
    "account-key",
    "routing_key",
    "integrationKey",
    "service_key",
    "service_role_key",
    "serviceRoleKey",
    "anon_key",
    "signing-key",
    "webhook_key",
    "client_assertion",
    "refresh_token",
    "x-amz-signature",
    "x-goog-credential",
    "x-amz-security-token",
    "sig",
    "signature",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_a_secret_is_clue_enough(name):
    """Each spelling that the pattern knows is masked."""
    assert VALUE not in Redactor().mask(f"{name}={VALUE}")


def test_every_clue_belongs_to_a_kind_that_is_looked_for():
    """A misspelled kind would be a clue for nothing."""
    assert CLUES.keys() <= {kind for kind, _ in (*PATTERNS, *PERSONAL)}


def test_a_kind_without_clues_is_always_looked_for():
    """Telephone numbers have no word of their own."""
    assert "phone" not in CLUES
    assert may_hold("phone", "")


def test_clues_are_found_in_letters_of_any_size():
    """A text is folded before it is looked at."""
    assert VALUE not in Redactor().mask(f"AUTHORIZATION: BEARER {VALUE}")
    assert VALUE not in Redactor().mask(f"\u017f\u0131gn\u0131ng_key={VALUE}")
    assert all(clue == clue.casefold() for clues in CLUES.values() for clue in clues)
