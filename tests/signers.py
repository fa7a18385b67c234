"""People with keys, for the tests of approvals."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from runbook_nb.incident.approval import Approver
from runbook_nb.runbook.keys import Seal, signing_seal
from runbook_nb.runbook.passkeys import Passkey, encoded
from runbook_nb.runbook.people import People, Person


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A person with as many keys as were made for them."""

    name: str
    seals: tuple[Seal, ...]
    may: tuple[str, ...] = ("approve",)

    @property
    def seal(self) -> Seal:
        return self.seals[0]

    @property
    def approver(self) -> Approver:
        return Approver(name=self.name, seal=self.seal)

    @property
    def person(self) -> Person:
        keys = tuple(seal.fingerprint for seal in self.seals)
        return Person(name=self.name, keys=keys, may=self.may)

    @property
    def table(self) -> str:
        """Return what stands in a project's file."""
        person = self.person
        return f'[people."{self.name}"]\nkeys = {[*person.keys]}\nmay = {[*person.may]}\n'


def make_signer(folder: Path, name: str, *, keys: int = 1, **more: tuple[str, ...]) -> Signer:
    """Make a person with new keys, whose files stand in a folder of theirs."""
    homes = [folder / f"{name}-{number}" for number in range(keys)]
    seals = tuple(signing_seal({"XDG_CONFIG_HOME": str(home)}) for home in homes)
    return Signer(name=name, seals=seals, **more)


def key_file(folder: Path, name: str) -> Path:
    """Return the file of a person's first key."""
    return folder / f"{name}-0" / "runbook" / "signing_key.pem"


def people(*signers: Signer) -> People:
    """Return the people that a project's settings would name."""
    return People(persons=tuple(each.person for each in signers))


PRESENT, VERIFIED = 0x01, 0x04  # the flags of an authenticator's answer


@dataclass(kw_only=True)
class Device:
    """A device with one passkey, which signs what it is asked to, also what it should not."""

    host: str = "runbooks.example.com"
    flags: int = PRESENT | VERIFIED
    origin: str = ""
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __post_init__(self) -> None:
        self._key = generate_private_key(SECP256R1())

    @property
    def passkey(self) -> Passkey:
        numbers = self._key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        # EC2, ES256, P-256: RFC 9053.
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        return Passkey(host=self.host, credential=encoded(self.credential), public=encoded(public))

    def assertion(self, challenge: bytes, *, kind: str = "webauthn.get") -> dict[str, Any]:
        """Return what ``toJSON()`` gives of an assertion."""
        said = {
            "type": kind,
            "challenge": encoded(challenge),
            "origin": self.origin or f"https://{self.host}",
            "crossOrigin": False,
        }
        client = json.dumps(said).encode()
        state = hashlib.sha256(self.host.encode()).digest() + bytes([self.flags]) + bytes(4)
        signature = self._key.sign(state + hashlib.sha256(client).digest(), ECDSA(SHA256()))
        response = {
            "authenticatorData": encoded(state),
            "clientDataJSON": encoded(client),
            "signature": encoded(signature),
        }
        own = encoded(self.credential)
        return {"id": own, "rawId": own, "type": "public-key", "response": response}
