"""A passkey signs one statement, for one host, and only with its owner there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_nb.runbook.passkeys import Passkey, challenge_of, is_asserted, written
from signers import PRESENT, VERIFIED, Device

STATEMENT = b'{"option":"A"}'


def asserted(device, *, by=None, payload=STATEMENT, **said):
    """Have a device sign the statement, and hold that against a passkey and a payload."""
    assertion = written(device.assertion(challenge_of(STATEMENT), **said))
    return is_asserted(payload, assertion=assertion, passkey=(by or device).passkey)


def test_what_was_signed_is_known_to_be():
    """By the host itself, and by one below it."""
    assert asserted(Device())
    assert asserted(Device(origin="https://night.runbooks.example.com"))
    assert asserted(Device(host="localhost", origin="http://localhost:8765"))


@pytest.mark.parametrize(
    ("device", "said"),
    [
        (Device(), {"payload": b'{"option":"B"}'}),
        (Device(), {"by": Device()}),
        (Device(), {"kind": "webauthn.create"}),
        (Device(flags=PRESENT), {}),
        (Device(flags=VERIFIED), {}),
        (Device(origin="https://runbooks.example.com.evil.test"), {}),
        (Device(origin="https://evilrunbooks.example.com"), {}),
        (Device(origin="http://runbooks.example.com"), {}),
        (Device(host="localhost", origin="http://evil.test"), {}),
    ],
    ids=[
        *("another statement", "another key", "another purpose", "owner not known"),
        *("nobody there", "host before another", "host after another", "no TLS", "far and no TLS"),
    ],
)
def test_all_else_is_not(device, said):
    """No flag, host or purpose can be left out."""
    assert not asserted(device, **said)


def test_a_passkey_of_another_host_signs_nothing_here():
    """Though the key is the same."""
    device = Device()
    here = Passkey(
        host="example.org", credential=device.passkey.credential, public=device.passkey.public
    )
    assertion = written(device.assertion(challenge_of(STATEMENT)))
    assert not is_asserted(STATEMENT, assertion=assertion, passkey=here)


def test_it_is_read_as_it_is_written():
    """And its fingerprint names its kind, and follows from the public key alone."""
    passkey = Device().passkey
    assert Passkey.read(str(passkey)) == passkey
    other = Passkey(host="example.org", credential="a" * 20, public=passkey.public)
    assert passkey.fingerprint == other.fingerprint
    assert passkey.fingerprint.startswith("passkey:SHA256:")


@pytest.mark.parametrize("text", ["passkey:", "passkey:host:id:key", "SHA256:abc", ""])
def test_what_is_none_says_where_one_is_shown(text):
    """The page of the service makes one."""
    with pytest.raises(ValueError, match="/passkey shows one"):
        Passkey.read(text)


@given(st.text(max_size=80), st.binary(max_size=80))
def test_any_assertion_and_any_key_are_only_refused(assertion, public):
    """No text raises anything."""
    from runbook_nb.runbook.passkeys import encoded

    passkey = Passkey(host="example.org", credential="a" * 20, public=encoded(public))
    assert not is_asserted(STATEMENT, assertion=assertion, passkey=passkey)
    genuine = written(Device(host="example.org").assertion(challenge_of(STATEMENT)))
    assert not is_asserted(STATEMENT, assertion=genuine, passkey=passkey)
