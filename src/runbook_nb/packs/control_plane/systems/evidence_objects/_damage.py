"""Which objects do not hold what their rows name, found by reading every one of them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.evidence_objects._artifacts import Artifact
from runbook_nb.packs.control_plane.systems.evidence_objects._content import (
    Content,
    Pace,
    canonical,
    content_of,
    digest_of,
)
from runbook_nb.probes.connections import Http

NO_BYTES: Final = "the catalogue has it, and its bytes are gone"


@dataclass(frozen=True, kw_only=True)
class Damage:
    """An artifact whose object is wrong: what it holds, and in which way it is wrong."""

    artifact: Artifact
    found: Content | None
    way: str

    def shown(self) -> dict[str, object]:
        """Return it as evidence shows it."""
        length, digest = (self.found.length, self.found.digest) if self.found else (0, "")
        return self.artifact.shown(
            wrong=self.way,
            bytes=length,
            found=digest,
            recorded=self.artifact.hash,
        )


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What was read of the objects and what is wrong with them."""

    damages: tuple[Damage, ...]
    read: int
    of: int
    bytes: int
    seconds: float

    @property
    def progress(self) -> dict[str, Any]:
        """How far it came, in objects, bytes and seconds."""
        told = {"objects read": self.read, "of": self.of, "bytes": self.bytes}
        return {**told, "seconds": round(self.seconds, 1)}


def sweep(storage: Http, artifacts: list[Artifact], *, pace: Pace) -> Sweep:
    """Read the object of each artifact that the catalogue has; the newest first.

    Raises NoAnswerError where time ran out before anything wrong was seen.
    """
    due = [each for each in artifacts if each.due and each.catalogued]
    by_hash = {each.hash: each.artifact for each in artifacts if each.hash}
    damages: list[Damage] = []
    read = 0
    for artifact in due:
        if pace.over:
            break
        damages += _judged(artifact, content_of(storage, artifact.path, pace=pace), by_hash.get)
        read += 1
    found = Sweep(
        damages=tuple(damages),
        read=read,
        of=len(due),
        bytes=pace.read,
        seconds=pace.clock() - pace.began,
    )
    if not due or (read < len(due) and not damages):
        message = (
            f"{read} of {len(due)} objects were read within {pace.within_s:.0f} s, and those are "
            "well. Give the sweep more time or more bytes a second, and run it again."
        )
        raise NoAnswerError(message)
    return found


def _judged(
    artifact: Artifact, found: Content | None, owner_of: Callable[[str], str | None]
) -> Iterator[Damage]:
    if found is None:
        yield Damage(artifact=artifact, found=None, way=NO_BYTES)
        return
    wanted = {artifact.digest} if artifact.digest else artifact.witnesses
    if not wanted or found.digest in wanted or artifact.accused(found.digest):
        return
    yield Damage(artifact=artifact, found=found, way=_way(artifact, found, owner_of))


def _way(artifact: Artifact, found: Content, owner_of: Callable[[str], str | None]) -> str:
    if (owner := owner_of(found.digest)) is not None:
        return f"it holds what artifact {owner} names"
    if artifact.size is not None and found.length < artifact.size:
        return f"it is cut short: {found.length} of {artifact.size} bytes"
    if _rewritten(artifact, found):
        return "the same content, written in another form"
    return "it holds other bytes"


def _rewritten(artifact: Artifact, found: Content) -> bool:
    try:
        content = json.loads(found.text)
    except ValueError:
        return False
    return digest_of(canonical(content)) == artifact.digest
