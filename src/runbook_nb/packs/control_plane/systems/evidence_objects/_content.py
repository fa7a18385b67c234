"""Objects read as they come: their SHA-256, at a pace that leaves Storage to its users."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.connections import Http

OBJECT: Final = "/storage/v1/object"
# The service says 400 to whatever it refuses; only the body tells a missing object by its 404.
REFUSED: Final = frozenset({400, 404})
_CHUNK: Final = 65_536
_ANSWER_S: Final = 15.0
# Of a longer object only the hash is kept: its form is not compared.
_COMPARED: Final = 1_000_000


@dataclass(kw_only=True)
class Pace:
    """How fast objects are read, in bytes a second, and for how long, in seconds."""

    bytes_per_s: int
    within_s: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    read: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    @property
    def over(self) -> bool:
        """Whether the time is used up."""
        return self.clock() - self.began > self.within_s

    def take(self, count: int) -> None:
        """Count bytes that were read, and wait while they are ahead of the pace."""
        self.read += count
        ahead = self.read / self.bytes_per_s - (self.clock() - self.began)
        if ahead > 0:
            self.sleep(min(ahead, self.within_s))


@dataclass(frozen=True, kw_only=True)
class Content:
    """What an object holds: its SHA-256 and length; ``text`` is empty for a long one."""

    digest: str
    length: int
    text: bytes


def content_of(storage: Http, path: str, *, pace: Pace | None = None) -> Content | None:
    """Read an object as it comes; None where Storage says that there is none.

    Raises NoAnswerError for every other refusal, and for a page in its place.
    """
    with storage.stream(address_of(path), params={}, timeout_s=_ANSWER_S) as answer:
        if answer.status_code in REFUSED:
            answer.read()
            _demand_absent(answer.text, path)
            return None
        answer.raise_for_status()
        if "etag" not in answer.headers:
            message = f"What came back for {path} has no ETag, so it is no answer of Storage's."
            raise NoAnswerError(message)
        digest, length, text = hashlib.sha256(), 0, b""
        for chunk in answer.iter_bytes(_CHUNK):
            digest.update(chunk)
            length += len(chunk)
            text = text + chunk if length <= _COMPARED else b""
            if pace is not None:
                pace.take(len(chunk))
        return Content(digest=digest.hexdigest(), length=length, text=text)


def canonical(content: object) -> bytes:
    """Return JSON with sorted keys and no spaces, the form that artifact hashes are made of."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def sorted_keys(content: object) -> object:
    """Return the same content with its keys in order, at every depth."""
    return json.loads(canonical(content))


def digest_of(content: bytes) -> str:
    """Return the SHA-256 of bytes, in lower-case hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def address_of(path: str) -> str:
    """Return the address of an object in the store."""
    return f"{OBJECT}/{quote(path)}"


def _demand_absent(answer: str, path: str) -> None:
    try:
        said = json.loads(answer)
    except ValueError:
        said = {"message": answer[:100]}
    if str(said.get("statusCode")) != "404" or "Bucket" in str(said.get("message")):
        message = f"Storage refused to show {path}: {said.get('message')}."
        raise NoAnswerError(message)
