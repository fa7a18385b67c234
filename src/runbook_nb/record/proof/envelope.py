"""The seal of a record: an in-toto statement of all its files in a signed DSSE envelope.

The envelope is written last. All of it is canonical, so that one changed byte of it shows.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from runbook_nb.record.proof.contents import Content, contents_of, without_copies
from runbook_nb.runbook.keys import Seal, fingerprint, is_signed
from runbook_nb.text.files import write_atomically
from runbook_nb.text.values import Json
from runbook_nb.timeline.folder import IncidentFolder

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:runbook-nb:incident-record:v1"


@dataclass(frozen=True, kw_only=True)
class Reseal:
    """A seal over what had changed since the one before: when, by whom and why.

    ``before`` is the digest of the seal before; empty where there was none to read.
    """

    at: str
    by: str
    because: str
    before: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        former = f", after {self.before[:12]}" if self.before else ""
        return f"Sealed anew at {self.at} by {self.by}{former}: {self.because}"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is sealed: the files, and the timeline by its head and its number of events.

    ``public_key`` is the raw Ed25519 key of who signs, empty where nobody does. ``reseals`` tell
    of each time that a changed record was sealed anew, oldest first.
    """

    contents: tuple[Content, ...]
    incident: str
    head: str
    events: int
    made_by: str
    public_key: bytes = b""
    reseals: tuple[Reseal, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key that signed; empty where nobody did."""
        return fingerprint(self.public_key) if self.public_key else ""

    @property
    def digest(self) -> str:
        """The SHA-256 of all that is sealed: with it, a witness vouches for every file."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """Return the statement as canonical JSON (RFC 8785)."""
        import rfc8785

        predicate: dict[str, Any] = {
            "incident": self.incident,
            "head": self.head,
            "events": self.events,
            "made_by": self.made_by,
        }
        if self.public_key:
            predicate["public_key"] = _base64(self.public_key)
        if self.reseals:
            predicate["reseals"] = [asdict(each) for each in self.reseals]
        subjects: list[dict[str, Any]] = [
            {
                "name": each.path,
                "digest": {"sha256": each.sha256},
                "annotations": {"size": each.size},
            }
            for each in self.contents
        ]
        return rfc8785.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": subjects,
                "predicateType": PREDICATE_TYPE,
                "predicate": predicate,
            }
        )

    @classmethod
    def of_json(cls, told: Json) -> "Statement":
        """Read a statement; raises KeyError, TypeError or ValueError for anything else."""
        predicate = told["predicate"]
        return cls(
            contents=tuple(
                Content(
                    path=str(each["name"]),
                    sha256=str(each["digest"]["sha256"]),
                    size=int(each["annotations"]["size"]),
                )
                for each in told["subject"]
            ),
            incident=str(predicate["incident"]),
            head=str(predicate["head"]),
            events=int(predicate["events"]),
            made_by=str(predicate["made_by"]),
            public_key=base64.b64decode(predicate.get("public_key", ""), validate=True),
            reseals=tuple(
                Reseal(**{name: str(value) for name, value in each.items()})
                for each in predicate.get("reseals", ())
            ),
        )


class EnvelopeError(ValueError):
    """The envelope is not one that was written here."""


def seal_record(
    folder: Path,
    *,
    incident: str,
    head: str,
    events: int,
    made_by: str,
    seal: Seal,
    reseals: Sequence[Reseal] = (),
) -> Statement:
    """Write the envelope over all files of a record as they are now; return what it says."""
    found = contents_of(folder)
    statement = Statement(
        contents=tuple(without_copies(found, of=found)),
        incident=incident,
        head=head,
        events=events,
        made_by=made_by,
        public_key=seal.public_key,
        reseals=tuple(reseals),
    )
    payload = statement.to_bytes()
    signature = seal.key.sign(_signed(payload)) if seal.key else b""
    content = _envelope(payload, signature=signature, keyid=statement.fingerprint)
    write_atomically(IncidentFolder(folder).envelope, content.decode())
    return statement


def read_envelope(path: Path) -> Statement:
    """Return what an envelope says, its signature proven by the key it names.

    Raises EnvelopeError with the reason in words, and OSError where it cannot be read.
    """
    content = path.read_bytes()
    try:
        envelope = json.loads(content)
        payload = base64.b64decode(envelope["payload"])
        statement = Statement.of_json(json.loads(payload))
        signatures = envelope["signatures"]
        signature = base64.b64decode(signatures[0]["sig"]) if signatures else b""
        written = _envelope(payload, signature=signature, keyid=statement.fingerprint)
        as_written = content == written and payload == statement.to_bytes()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        message = "it is not a whole envelope"
        raise EnvelopeError(message) from error
    if bool(signature) != bool(statement.public_key):
        message = "its signature is missing"
        raise EnvelopeError(message)
    # Compared with what would be written, since base64 and JSON can say one thing in many ways.
    if not as_written:
        message = "it is not as it was written"
        raise EnvelopeError(message)
    public, signed = statement.public_key, _signed(payload)
    if signature and not is_signed(signed, signature=signature, public=public):
        message = "its signature does not fit"
        raise EnvelopeError(message)
    return statement


def _envelope(payload: bytes, *, signature: bytes, keyid: str) -> bytes:
    import rfc8785

    signatures: list[Any] = [{"keyid": keyid, "sig": _base64(signature)}] if signature else []
    envelope = {
        "payload": _base64(payload),
        "payloadType": PAYLOAD_TYPE,
        "signatures": signatures,
    }
    return rfc8785.dumps(envelope) + b"\n"


def _signed(payload: bytes) -> bytes:
    """Return what is signed: type and payload with their lengths (DSSE v1, PAE)."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
