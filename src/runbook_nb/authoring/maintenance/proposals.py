"""Proposed edits of runbooks: what incidents showed, put together by runbook and step."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbook_nb.authoring.maintenance.occurrences import Sighting
from runbook_nb.errors import RunbookError
from runbook_nb.record.facts.remarks import EDITS, RemarkKind
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.runbook import Runbook


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One proposed edit, and every incident that calls for it, oldest first.

    ``id`` depends on runbook, kind and step, so that the next incident adds to it.
    ``changed`` tells whether the runbook's text is another one than in the newest incident.
    """

    id: str
    runbook: str
    kind: RemarkKind
    step: str
    edit: str
    sightings: tuple[Sighting, ...]
    changed: bool

    @property
    def incidents(self) -> tuple[str, ...]:
        """The incidents, each once."""
        return tuple(dict.fromkeys(sighting.incident for sighting in self.sightings))

    def facts(self) -> dict[str, Any]:
        """Return the proposal as JSON."""
        return {
            "id": self.id,
            "runbook": self.runbook,
            "kind": self.kind,
            "step": self.step,
            "edit": self.edit,
            "said": [sighting.said for sighting in self.sightings],
            "differences": [each.difference for each in self.sightings if each.difference],
            "incidents": list(self.incidents),
            "runbook_changed_since": self.changed,
        }


def proposals(found: Sequence[Sighting], *, folder: Path) -> list[Proposal]:
    """Return the proposed edits, those of the most incidents first."""
    gathered: dict[str, list[Sighting]] = {}
    for sighting in found:
        gathered.setdefault(_id(sighting), []).append(sighting)
    made = [
        Proposal(
            id=name,
            runbook=sightings[-1].runbook,
            kind=sightings[-1].kind,
            step=sightings[-1].step,
            edit=EDITS[sightings[-1].kind],
            sightings=tuple(sightings),
            changed=_changed_since(sightings[-1], folder=folder),
        )
        for name, sightings in gathered.items()
    ]
    return sorted(made, key=lambda proposal: (proposal.runbook, -len(proposal.incidents)))


def _changed_since(sighting: Sighting, *, folder: Path) -> bool:
    """Tell whether the runbook's body changed; where the text that ran is lost, it did not."""
    try:
        now = Runbook.find(sighting.runbook, folder)
        if now.digest == sighting.digest or sighting.copy is None:
            return False
        stands, ran = Document.read(now.path), Document.read(sighting.copy)
    except (RunbookError, OSError):
        return False
    return stands.body_digest != ran.body_digest


def _id(sighting: Sighting) -> str:
    """Name a proposal; a note is its own, a step is the same in every incident."""
    own = (
        [sighting.incident, sighting.said] if sighting.kind is RemarkKind.NOTE else [sighting.step]
    )
    text = "\n".join([sighting.runbook, sighting.kind, *own])
    return f"R-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
