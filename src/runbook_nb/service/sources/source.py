"""What every sender of alerts has: a name, a proof that it sent something, and a way to read it."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.timeline.alerts import Delivery

# Alertmanager's own title of a page, which its receivers take over: `[FIRING:2] Name and labels`.
_TITLE: Final = re.compile(r"\[[A-Z]+(?::\d+)?\]\s+\(?(?P<name>[A-Za-z_:][\w:]*)")

Headers = Mapping[str, str]  # by their names in small letters


@dataclass(frozen=True, kw_only=True)
class Source:
    """A sender of alerts.

    ``genuine`` tells of the headers, the raw body and the secret that both know whether the sender
    sent it. ``read`` returns what a parsed message holds, and raises ValueError or TypeError for
    one that it does not understand; a message that is of no alert's beginning or end is empty.
    """

    name: str
    genuine: Callable[[Headers, bytes, str], bool]
    read: Callable[[object], Delivery]


def has_token(headers: Headers, _body: bytes, secret: str) -> bool:
    """Tell whether the Authorization header brings the secret: as a bearer, or as a password."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "basic":
        try:
            decoded = base64.b64decode(credentials, validate=True)
        except (binascii.Error, ValueError):
            return False
        given = decoded.partition(b":")[2]
    elif scheme.casefold() == "bearer":
        given = credentials.strip().encode()
    else:
        return False
    return bool(secret) and hmac.compare_digest(given, secret.encode())


def is_signed(signature: str, signed: bytes, secret: str) -> bool:
    """Tell whether a signature is the HMAC with SHA-256 of these bytes, in hexadecimal."""
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return bool(secret) and hmac.compare_digest(
        signature.strip().casefold().encode(), expected.encode()
    )


def name_in(title: str) -> str:
    """Return the name of the alert in the title of a page; the whole title where it names none."""
    found = _TITLE.match(title.strip())
    return found["name"] if found else title


def part_of(message: object, name: str) -> Mapping[str, Any]:
    """Return an object within a message; raises TypeError where there is none."""
    found = message.get(name) if isinstance(message, Mapping) else None
    if not isinstance(found, Mapping):
        text = f"it has no {name!r}"
        raise TypeError(text)
    return found
