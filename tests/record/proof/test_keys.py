"""The key that seals, and the keys of others."""

import shutil
import subprocess

import pytest

from runbook_nb.errors import SettingMissingError
from runbook_nb.record.proof import Seal, SignerTrust, signing_seal, verify_record
from runbook_nb.timeline.events import Verdict


def test_the_key_is_made_once_and_for_its_owner_alone(environ, tmp_path):
    """The second record has the same signer."""
    first, second = signing_seal(environ), signing_seal(environ)

    path = tmp_path / "config" / "runbook" / "signing_key.pem"
    assert first.fingerprint == second.fingerprint
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["signing_key.pem"]


def test_a_key_that_others_can_read_is_refused(environ, tmp_path):
    """It says what to type; the incident is closed unsigned."""
    signing_seal(environ)
    path = tmp_path / "config" / "runbook" / "signing_key.pem"
    path.chmod(0o644)

    assert signing_seal(environ).key is None
    assert f"chmod 600 {path}" in signing_seal(environ).reason


@pytest.mark.parametrize("content", ["", "no key", "-----BEGIN PRIVATE KEY-----\n"])
def test_a_key_that_cannot_be_read_gives_the_reason(tmp_path, content):
    """Nobody is left without a record because of a file."""
    path = tmp_path / "key.pem"
    path.write_text(content)
    path.chmod(0o600)
    seal = signing_seal({"RUNBOOK_SIGNING_KEY": str(path)})

    assert seal == Seal(reason=seal.reason)
    assert str(path) in seal.reason


def test_a_named_key_that_is_missing_is_not_made(tmp_path):
    """A typing error must not become a key that nobody knows."""
    seal = signing_seal({"RUNBOOK_SIGNING_KEY": str(tmp_path / "typo.pem")})

    assert "No such file" in seal.reason
    assert not list(tmp_path.iterdir())


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


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on PATH")
def test_a_key_made_by_ssh_keygen_seals_and_has_the_fingerprint_it_shows(tmp_path):
    """The owner tells a fingerprint with a command that they know."""
    path = tmp_path / "id"
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(made, check=True)
    shown = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True)

    seal = signing_seal({"RUNBOOK_SIGNING_KEY": str(path)})
    assert seal.fingerprint == shown.stdout.decode().split()[1]


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on PATH")
def test_a_key_with_a_password_gives_the_reason(tmp_path):
    """Nobody can type one in a run without a person."""
    path = tmp_path / "id"
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "a password", "-f", str(path)]
    subprocess.run(made, check=True)

    assert "password" in signing_seal({"RUNBOOK_SIGNING_KEY": str(path)}).reason.lower()
