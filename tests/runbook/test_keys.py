"""The key that seals and signs, as it stands in a file."""

import shutil
import subprocess

import pytest

from runbook_nb.runbook.keys import Seal, is_signed, own_seal, signing_seal


@pytest.fixture
def environ(tmp_path):
    """Give the settings of a user who has no key yet."""
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


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


def test_a_signature_fits_what_was_signed_and_the_key_that_signed_it(environ, tmp_path):
    """One other byte, or another key, is no signature."""
    seal = signing_seal(environ)
    other = signing_seal({"XDG_CONFIG_HOME": str(tmp_path / "other")})
    signature = seal.key.sign(b"yes")

    assert is_signed(b"yes", signature=signature, public=seal.public_key)
    assert not is_signed(b"yes ", signature=signature, public=seal.public_key)
    assert not is_signed(b"yes", signature=signature, public=other.public_key)
    assert not is_signed(b"yes", signature=b"", public=b"")


def test_who_signs_has_a_key_already(environ, tmp_path):
    """A key that nobody knows would be worth nothing, so none is made by the way."""
    assert own_seal(environ=environ).key is None
    assert not (tmp_path / "config").exists()

    made = signing_seal(environ)
    path = tmp_path / "config" / "runbook" / "signing_key.pem"
    assert own_seal(environ=environ).fingerprint == made.fingerprint
    assert own_seal(path, environ={"RUNBOOK_SIGNING_KEY": "none"}).fingerprint == made.fingerprint
    assert own_seal(environ={**environ, "RUNBOOK_SIGNING_KEY": "none"}).key is None
