"""The seal of a record: an in-toto statement of all its files in a signed DSSE envelope.

The envelope is written last. It is canonical JSON, so that one changed byte of it shows.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.files import write_atomically
from runbook_nb.model import Json
from runbook_nb.proof.contents import ENVELOPE, Content, contents_of
from runbook_nb.proof.keys import Seal, fingerprint

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:runbook-nb:incident-record:v1"


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What an envelope says: the SHA-256 of each file, the timeline's head, and who signed.

    ``fingerprint`` is empty where nobody signed.
    """

    files: Mapping[str, str]
    head: str
    made_by: str
    fingerprint: str


class EnvelopeError(ValueError):
    """The envelope is not one that was written here."""


def seal_record(folder: Path, *, incident: str, head: str, made_by: str, seal: Seal) -> Path:
    """Write the envelope over all files of a record as they are now; return its path."""
    import rfc8785

    statement = _statement(contents_of(folder), incident=incident, head=head, made_by=made_by)
    signatures: list[dict[str, str]] = []
    if seal.key is not None:
        public = seal.key.public_key().public_bytes_raw()
        statement["predicate"]["public_key"] = base64.b64encode(public).decode()
        signature = seal.key.sign(_signed(rfc8785.dumps(statement)))
        signatures = [{"keyid": seal.fingerprint, "sig": base64.b64encode(signature).decode()}]
    payload = base64.b64encode(rfc8785.dumps(statement)).decode()
    envelope: dict[str, Any] = {
        "payload": payload,
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }
    write_atomically(folder / ENVELOPE, rfc8785.dumps(envelope).decode() + "\n")
    return folder / ENVELOPE


def read_envelope(path: Path) -> Sealed:
    """Return what an envelope says, its signature proven by the key it names.

    Raises EnvelopeError with the reason in words, and OSError where it cannot be read.
    """
    content = path.read_bytes()
    try:
        envelope = json.loads(content)
        payload = base64.b64decode(envelope["payload"], validate=True)
        statement = json.loads(payload)
        _demand_canonical(content, envelope, payload, statement)
        signer = _signer(envelope["signatures"], payload, statement)
        predicate = statement["predicate"]
        files = {str(each["name"]): str(each["digest"]["sha256"]) for each in statement["subject"]}
        return Sealed(
            files=files,
            head=str(predicate["head"]),
            made_by=str(predicate["made_by"]),
            fingerprint=signer,
        )
    except EnvelopeError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        message = "it is not a whole envelope"
        raise EnvelopeError(message) from error


def _statement(
    contents: Sequence[Content], *, incident: str, head: str, made_by: str
) -> dict[str, Any]:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": each.path, "digest": {"sha256": each.sha256}} for each in contents],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"incident": incident, "head": head, "made_by": made_by},
    }


def _signed(payload: bytes) -> bytes:
    """Return what is signed: type and payload with their lengths (DSSE v1, PAE)."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _demand_canonical(content: bytes, envelope: Json, payload: bytes, statement: Json) -> None:
    import rfc8785

    whole = content == rfc8785.dumps(envelope) + b"\n" and payload == rfc8785.dumps(statement)
    types = (envelope["payloadType"], statement["_type"], statement["predicateType"])
    if not whole or types != (PAYLOAD_TYPE, STATEMENT_TYPE, PREDICATE_TYPE):
        message = "it is not as it was written"
        raise EnvelopeError(message)


def _signer(signatures: Json, payload: bytes, statement: Json) -> str:
    """Return the fingerprint of the key that signed; empty for an envelope nobody signed."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    named = statement["predicate"].get("public_key")
    if named is None and signatures == []:
        return ""
    if named is None or len(signatures) != 1:
        message = "its signature is missing"
        raise EnvelopeError(message)
    public, keyid = base64.b64decode(named, validate=True), fingerprint(base64.b64decode(named))
    try:
        signature = base64.b64decode(signatures[0]["sig"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _signed(payload))
    except InvalidSignature as error:
        message = "its signature does not fit"
        raise EnvelopeError(message) from error
    if signatures[0]["keyid"] != keyid:
        message = "it names another key than the one that signed"
        raise EnvelopeError(message)
    return keyid
