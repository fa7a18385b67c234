"""Good copies of an artifact's bytes, each proven by its SHA-256 before it counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.evidence_objects._artifacts import Artifact
from runbook_nb.packs.control_plane.systems.evidence_objects._content import (
    canonical,
    content_of,
    digest_of,
    sorted_keys,
)
from runbook_nb.probes.connections import Http

# Any one of them has the bytes; more are not asked for.
_SAME: Final = 3


@dataclass(frozen=True, kw_only=True)
class GoodCopy:
    """Where the right bytes are; an empty ``path`` means the content in the artifact's own row."""

    path: str

    @property
    def source(self) -> str:
        """What it is, in words."""
        return self.path or "the content in its row"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where copies may lie: the bucket of versions, other places, other artifacts with the hash."""

    storage: Http
    versions: str
    places: dict[str, list[str]]
    artifacts: list[Artifact]

    def good_copy(self, artifact: Artifact) -> GoodCopy | None:
        """Return the first copy whose bytes have the recorded SHA-256; None where there is none.

        None also where row and witness do not agree on it: then nobody knows what is right.
        """
        if not artifact.proven:
            return None
        for path in self._paths(artifact):
            if self._digest(path) == artifact.proven:
                return GoodCopy(path=path)
        if artifact.content is not None and _own(artifact) == artifact.proven:
            return GoodCopy(path="")
        return None

    def _paths(self, artifact: Artifact) -> Iterator[str]:
        yield from self.places.get(artifact.artifact, ())
        if artifact.versioned:
            yield f"{self.versions}/{artifact.path}"
        same = [
            each.path
            for each in self.artifacts
            if each.digest == artifact.digest and each.path != artifact.path and each.catalogued
        ]
        yield from same[:_SAME]

    def _digest(self, path: str) -> str:
        try:
            content = content_of(self.storage, path)
        except NoAnswerError:
            return ""
        return content.digest if content else ""


def _own(artifact: Artifact) -> str:
    return digest_of(canonical(sorted_keys(artifact.content)))
