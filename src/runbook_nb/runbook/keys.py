"""Keys: the one that seals records and signs approvals here, and the keys of others.

``RUNBOOK_SIGNING_KEY`` names a file with an Ed25519 private key, in PEM or as ``ssh-keygen`` makes
one, or is ``none``. Without it, a key is made on first use in the user's configuration folder,
readable by nobody else. Keys of others that are trusted stand in ``trusted_keys`` beside it, one
fingerprint and a name a line.
"""

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook_nb.errors import SettingMissingError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SETTING: Final = "RUNBOOK_SIGNING_KEY"
KEY_FILE: Final = "signing_key.pem"
TRUSTED_FILE: Final = "trusted_keys"
_OTHERS: Final = 0o077
_OPENSSH: Final = b"BEGIN OPENSSH PRIVATE KEY"


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What is sealed or signed with: a key and its fingerprint, or the reason why there is none."""

    fingerprint: str = ""
    reason: str = ""
    key: "Ed25519PrivateKey | None" = field(default=None, repr=False)

    @property
    def public_key(self) -> bytes:
        """The raw public key; empty where there is no key."""
        return self.key.public_key().public_bytes_raw() if self.key else b""


NO_SEAL: Final = Seal(reason="No key was given.")


def signing_seal(environ: Mapping[str, str] = os.environ) -> Seal:
    """Return the seal of this user, made on first use; without a key, the reason in words.

    An incident can be closed without a key: its record says so.
    """
    if environ.get(SETTING) == "none":
        return Seal(reason=f"{SETTING} is none.")
    path = key_path(environ)
    return _seal(path, _read if path.exists() or SETTING in environ else _make)


def own_seal(path: Path | None = None, *, environ: Mapping[str, str] = os.environ) -> Seal:
    """Return the key of a file, this user's by default, and make none: who signs has one already.

    Where it cannot be used, the reason says so.
    """
    if path is None and environ.get(SETTING) == "none":
        return Seal(reason=f"{SETTING} is none.")
    return _seal(path or key_path(environ), _read)


def _seal(path: Path, take: "Callable[[Path], Ed25519PrivateKey]") -> Seal:
    try:
        key = take(path)
    except (OSError, ValueError, TypeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        return Seal(reason=f"The key {path} cannot be used: {said.rstrip('.')}.")
    return Seal(key=key, fingerprint=fingerprint(key.public_key().public_bytes_raw()))


def is_signed(payload: bytes, *, signature: bytes, public: bytes) -> bool:
    """Tell whether the owner of a raw public key signed exactly this."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, payload)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the signing key stands."""
    named = environ.get(SETTING)
    return Path(named).expanduser() if named else config_folder(environ) / KEY_FILE


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of this user's keys: ``runbook`` in the XDG configuration folder."""
    base = environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "runbook"


def fingerprint(public: bytes) -> str:
    """Return the fingerprint of a raw public key, the one that ``ssh-keygen -l`` shows."""
    parts = (b"ssh-ed25519", public)
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def own_fingerprint(environ: Mapping[str, str] = os.environ) -> str:
    """Return the fingerprint of this user's key without making one; empty where there is none."""
    path = key_path(environ)
    if environ.get(SETTING) == "none" or not path.exists():
        return ""
    return signing_seal(environ).fingerprint


def trusted_keys(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the trusted fingerprints with the names of their owners.

    Raises SettingMissingError for a line that is not a fingerprint and a name.
    """
    path = config_folder(environ) / TRUSTED_FILE
    if not path.is_file():
        return {}
    known = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.partition("#")[0].split(maxsplit=1)
        if not words:
            continue
        if len(words) == 1 or not words[0].startswith("SHA256:"):
            message = f"{path}:{number}: write a fingerprint and a name: SHA256:… Jo of Operations."
            raise SettingMissingError(message)
        known[words[0]] = words[1].strip()
    return known


def _read(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        load_pem_private_key,
        load_ssh_private_key,
    )

    if path.stat().st_mode & _OTHERS:
        message = f"others can read it; run chmod 600 {path}"
        raise ValueError(message)
    content = path.read_bytes()
    load = load_ssh_private_key if _OPENSSH in content else load_pem_private_key
    key = load(content, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        message = "it is no Ed25519 key"
        raise ValueError(message)  # noqa: TRY004 - the file is wrong, not the type of an argument
    return key


def _make(path: Path) -> "Ed25519PrivateKey":
    """Make a key; when another process makes one at the same moment, its key is used."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(draft, "wb", opener=_private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link appears whole and never replaces a key that is there.
        path.hardlink_to(draft)
    except FileExistsError:
        return _read(path)
    finally:
        draft.unlink()
    return key


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)
