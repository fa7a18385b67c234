"""Secrets by reference: read in one place, and shown by no error."""

import pytest

from runbook_nb.errors import SettingMissingError
from runbook_nb.redaction import secrets

OF = "'token' of 'fly'"


def test_a_variable_is_read_by_its_name(monkeypatch):
    """Its value comes wrapped, so that no repr shows it."""
    monkeypatch.setenv("TRIAL_TOKEN", "correct-horse")

    found = secrets.resolve("env:TRIAL_TOKEN", of=OF)

    assert found.get_secret_value() == "correct-horse"
    assert "correct" not in repr(found)


def test_a_file_is_read_without_its_last_line_break(write_file):
    """An editor ends a file with one; the secret does not have it."""
    path = write_file("token", "correct-horse\n")

    assert secrets.resolve(f"file:{path}", of=OF).get_secret_value() == "correct-horse"


@pytest.mark.parametrize(
    "text", ["correct-horse", "postgresql://u:correct-horse@h/d", "env:correct-horse", "file:"]
)
def test_what_is_no_reference_is_refused_and_not_shown(text):
    """It may be the secret itself."""
    with pytest.raises(
        SettingMissingError, match=r"'token' of 'fly' must be a reference"
    ) as caught:
        secrets.resolve(text, of=OF)
    assert "correct-horse" not in str(caught.value)


def test_a_missing_variable_is_named():
    """Whose it is, and where it should be."""
    with pytest.raises(SettingMissingError, match=r"'token' of 'fly' refers to env:TRIAL_ABSENT"):
        secrets.resolve("env:TRIAL_ABSENT", of=OF)


def test_an_empty_secret_is_no_secret(monkeypatch, write_file):
    """Sent on, it would be answered with a refusal that says nothing of the cause."""
    monkeypatch.setenv("TRIAL_TOKEN", "")

    for text in ("env:TRIAL_TOKEN", f"file:{write_file('token', '')}"):
        with pytest.raises(SettingMissingError, match="empty"):
            secrets.resolve(text, of=OF)


def test_a_file_that_is_not_text_keeps_its_bytes_to_itself(tmp_path):
    """The decoder's error carries the whole content."""
    path = tmp_path / "key"
    path.write_bytes(b"\xffcorrect-horse")

    with pytest.raises(SettingMissingError, match="not text") as caught:
        secrets.resolve(f"file:{path}", of=OF)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("pasted", ["ghp_0123456789abcdefghij", "abc123def456ghi789", "hunter2"])
def test_a_secret_in_the_place_of_a_name_is_not_shown(pasted):
    """Somebody pasted it behind `env:`."""
    with pytest.raises(SettingMissingError, match="'token' of 'fly'") as caught:
        secrets.resolve(f"env:{pasted}", of=OF)
    assert pasted not in str(caught.value)
