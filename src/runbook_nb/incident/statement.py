"""The statement that an approval signs: all that it says yes to, as canonical JSON (RFC 8785).

The kind of a key stands before it, so that other kinds can sign the same statement.
"""

from dataclasses import replace
from typing import Final

from runbook_nb.runbook.keys import Seal, fingerprint, is_signed
from runbook_nb.runbook.passkeys import PASSKEY, Passkey, is_asserted
from runbook_nb.timeline.events import Approved

STATEMENT_TYPE: Final = "urn:runbook-nb:approval:v1"
ED25519: Final = "ed25519:"
# By name, so that a field of a later version changes no statement of this one.
_STATED: Final = (
    *("at", "run", "by", "option", "text", "parameters", "calls", "expires_at", "requested_by"),
    *("incident", "call_digests", "code", "seen", "nonce", "key"),
)


def statement_of(approval: Approved) -> bytes:
    """Return what is signed: every field of an approval but its signature."""
    import rfc8785

    fields = {name: getattr(approval, name) for name in _STATED}
    times = {name: fields[name].isoformat() for name in ("at", "expires_at")}
    return rfc8785.dumps({"type": STATEMENT_TYPE, **fields, **times})


def signed(approval: Approved, seal: Seal) -> Approved:
    """Return an approval with the signature of a key; as it is where there is no key."""
    if seal.key is None:
        return approval
    named = replace(approval, key=f"{ED25519}{seal.public_key.hex()}")
    return replace(named, signature=seal.key.sign(statement_of(named)).hex())


def signer(approval: Approved) -> str:
    """Return the fingerprint of the key that signed exactly this; empty where none did."""
    if approval.key.startswith(PASSKEY):
        return _passkey_of(approval)
    try:
        key = bytes.fromhex(approval.key.removeprefix(ED25519))
        signature = bytes.fromhex(approval.signature)
    except ValueError:
        return ""
    # One signature is written in one way, so that a copy of it is known to be one.
    if (approval.key, approval.signature) != (f"{ED25519}{key.hex()}", signature.hex()):
        return ""
    fits = is_signed(statement_of(approval), signature=signature, public=key)
    return fingerprint(key) if fits else ""


def _passkey_of(approval: Approved) -> str:
    try:
        passkey = Passkey.read(approval.key)
    except ValueError:
        return ""
    statement = statement_of(approval)
    fits = is_asserted(statement, assertion=approval.signature, passkey=passkey)
    return passkey.fingerprint if fits else ""
