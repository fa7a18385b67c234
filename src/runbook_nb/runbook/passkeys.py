"""Passkeys: keys that a device keeps for one host, and uses only while its owner is there.

A project's file has one as ``passkey:HOST:ID:KEY``: the host it is good for, the id of the
credential, and the public key in COSE, both in base64url. It signs by an assertion of WebAuthn:
https://www.w3.org/TR/webauthn-3/#sctn-verifying-assertion
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

PASSKEY: Final = "passkey:"
# Where a browser takes a page for secure without TLS.
LOCAL_HOST: Final = "localhost"
_WRITTEN: Final = re.compile(
    rf"{PASSKEY}(?P<host>[a-z0-9.-]{{1,253}}):(?P<id>[\w-]{{16,1400}}):(?P<key>[\w-]{{40,1400}})"
)
_PARTS: Final = ("authenticatorData", "clientDataJSON", "signature")


@dataclass(frozen=True, kw_only=True)
class Passkey:
    """A public key of a device: its ``credential`` and ``public`` in base64url."""

    host: str
    credential: str
    public: str

    @classmethod
    def read(cls, text: str) -> "Passkey":
        """Return the passkey that a text names; raises ValueError where it names none."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            message = f"{text!r} is no passkey; the service's page /passkey shows one."
            raise ValueError(message)
        return cls(host=found["host"], credential=found["id"], public=found["key"])

    def __str__(self) -> str:
        """Return it as a project's file has it."""
        return f"{PASSKEY}{self.host}:{self.credential}:{self.public}"

    @property
    def fingerprint(self) -> str:
        """What the key is known by: its kind, and the SHA-256 of the public key."""
        digest = base64.b64encode(hashlib.sha256(decoded(self.public)).digest()).decode()
        return f"{PASSKEY}SHA256:{digest.rstrip('=')}"


def challenge_of(payload: bytes) -> bytes:
    """Return what a device is asked to sign for a payload."""
    return hashlib.sha256(payload).digest()


def written(assertion: dict[str, Any]) -> str:
    """Return an assertion as a browser gives it, ``toJSON()``, on one line.

    Raises KeyError or TypeError for what is none.
    """
    return ".".join(str(assertion["response"][part]) for part in _PARTS)


def is_asserted(payload: bytes, *, assertion: str, passkey: Passkey) -> bool:
    """Tell whether a passkey signed exactly this, with its owner there and known to the device."""
    from webauthn import verify_authentication_response

    parts = assertion.split(".")
    try:
        response = dict(zip(_PARTS, parts, strict=True))
        origin = str(json.loads(decoded(response["clientDataJSON"]))["origin"])
        if not _is_secure(origin, passkey.host):
            return False
        verify_authentication_response(
            credential={
                "id": passkey.credential,
                "rawId": passkey.credential,
                "type": "public-key",
                "response": response,
            },
            expected_challenge=challenge_of(payload),
            expected_rp_id=passkey.host,
            expected_origin=origin,
            credential_public_key=decoded(passkey.public),
            credential_current_sign_count=0,  # a statement holds a nonce: it cannot count twice
            require_user_verification=True,
        )
    except Exception:  # noqa: BLE001 - what makes the library fail in any way is no signature
        return False
    return True


def encoded(data: bytes) -> str:
    """Return bytes in base64url, as WebAuthn writes them."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes of a text in base64url; raises ValueError for another one."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_secure(origin: str, host: str) -> bool:
    """Tell whether a page of this origin is one of the host, or below it, and nobody listened."""
    place = urlsplit(origin)
    own = place.hostname or ""
    here = own == host or own.endswith(f".{host}")
    return here and (place.scheme == "https" or own == LOCAL_HOST)
