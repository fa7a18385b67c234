"""Whose seal is trusted: keys of colleagues, by name."""

import pytest

from runbook_nb.errors import SettingMissingError
from runbook_nb.record.proof import SignerTrust, verify_record
from runbook_nb.timeline.events import Verdict


def test_a_key_of_a_colleague_is_trusted_by_name(sealed, verified, tmp_path):
    """Their fingerprint stands in our file."""
    fingerprint = verified(sealed).signer.fingerprint
    other = {"XDG_CONFIG_HOME": str(tmp_path / "other")}
    place = tmp_path / "other" / "runbook"
    place.mkdir(parents=True)
    (place / "trusted_keys").write_text(f"# colleagues\n{fingerprint} Jo of Operations\n")
    found = verify_record(sealed, environ=other)

    assert (found.signer.standing, found.signer.name) == (SignerTrust.TRUSTED, "Jo of Operations")
    assert found.verdict is Verdict.PASS
    assert not (place / "signing_key.pem").exists()


@pytest.mark.parametrize("line", ["SHA256:x", "Jo of Operations"])
def test_a_line_of_trusted_keys_that_is_none_is_an_error(sealed, thief, tmp_path, line):
    """A typing error must not become trust, nor silently lose it."""
    (tmp_path / "thief" / "runbook").mkdir(parents=True)
    (tmp_path / "thief" / "runbook" / "trusted_keys").write_text(line)

    with pytest.raises(SettingMissingError, match="trusted_keys:1: write a fingerprint"):
        verify_record(sealed, environ=thief)
