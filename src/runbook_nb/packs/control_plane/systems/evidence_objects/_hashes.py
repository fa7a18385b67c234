"""Rows whose hash is wrong while their object is right."""

from dataclasses import dataclass

from runbook_nb.packs.control_plane.systems.evidence_objects._artifacts import (
    Artifact,
    every_artifact,
)
from runbook_nb.packs.control_plane.systems.evidence_objects._content import content_of
from runbook_nb.probes.calls import Systems


@dataclass(frozen=True, kw_only=True)
class Misrecorded:
    """A row whose hash is wrong; ``right`` is what object and witness agree on, or empty."""

    artifact: Artifact
    right: str

    def shown(self) -> dict[str, object]:
        """Return it as evidence shows it."""
        right = self.right or "object and witness do not agree"
        return self.artifact.shown(recorded=self.artifact.hash, right=right)


def misrecorded_rows(systems: Systems) -> list[Misrecorded]:
    """Return the rows whose hash is malformed, or belied by their object and a witness.

    Only objects of rows that are in doubt are read.
    """
    storage, found = systems.http("supabase_storage"), []
    for each in every_artifact(systems):
        if not (each.malformed or _in_doubt(each)):
            continue
        content = content_of(storage, each.path) if each.catalogued else None
        held = content.digest if content else ""
        same = each.malformed and held != "" and held == each.digest == each.proven
        sided = same or each.accused(held)
        if each.malformed or sided:
            found.append(Misrecorded(artifact=each, right=held if sided else ""))
    return found


def _in_doubt(artifact: Artifact) -> bool:
    """Tell whether the row names what no witness does, or what another row of its mission does."""
    named = artifact.digest
    return bool(artifact.witnesses) and (
        named not in artifact.witnesses or named in artifact.siblings
    )
