"""The review of incidents: proposed edits are open until somebody has dealt with them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.authoring.maintenance.occurrences import sightings
from runbook_nb.authoring.maintenance.proposals import Proposal, proposals
from runbook_nb.errors import IncidentStateError, near
from runbook_nb.text.files import write_atomically
from runbook_nb.timeline.folder import IncidentsFolder

MENDED: Final = "The runbook was changed."


@dataclass(frozen=True, kw_only=True)
class Dealt:
    """How a proposed edit was dealt with: when, by whom, why, and for which incidents."""

    at: str
    by: str
    why: str
    incidents: tuple[str, ...]


class Review:
    """The proposed edits of all incidents, and what became of them.

    Nothing closes by itself: a change of the runbook may have been about something else.
    """

    def __init__(
        self,
        *,
        incidents: Path,
        folder: Path,
        drills: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path, self._now = IncidentsFolder(incidents).review, now
        self.dealt = self._read()
        self.all = proposals(sightings(incidents, drills=drills), folder=folder)

    def open(self) -> list[Proposal]:
        """Return the proposals that nobody has dealt with, or that came up again since."""
        return [proposal for proposal in self.all if not self.is_closed(proposal)]

    def is_closed(self, proposal: Proposal) -> bool:
        """Tell whether it was dealt with for all its incidents."""
        dealt = self.dealt.get(proposal.id)
        return dealt is not None and set(proposal.incidents) <= set(dealt.incidents)

    def close(self, name: str, *, by: str, why: str = "") -> Dealt:
        """Close a proposal: because the runbook changed since, or because of ``why``.

        Raises IncidentStateError for an unknown one, or if there is neither a change nor a why.
        """
        proposal = next((found for found in self.all if found.id == name), None)
        if proposal is None:
            known = (found.id for found in self.open())
            message = f"No proposed edit {name!r}. {near(name, known)}"
            raise IncidentStateError(message)
        if not why.strip() and not proposal.changed:
            message = (
                f"{proposal.runbook} has not changed since {proposal.incidents[-1]}. "
                f"Change it, or say why not: runbook review close {name} --why '…'"
            )
            raise IncidentStateError(message)
        self.dealt[name] = Dealt(
            at=self._now().isoformat(timespec="seconds"),
            by=by,
            why=why.strip() or MENDED,
            incidents=proposal.incidents,
        )
        self._write()
        return self.dealt[name]

    def _read(self) -> dict[str, Dealt]:
        if not self._path.is_file():
            return {}
        try:
            read: Mapping[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            return {
                name: Dealt(**{**found, "incidents": tuple(found["incidents"])})
                for name, found in read.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            message = f"{self._path} cannot be read: {error!r}. Mend it, or take it away."
            raise IncidentStateError(message) from error

    def _write(self) -> None:
        facts = {name: asdict(dealt) for name, dealt in sorted(self.dealt.items())}
        text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
        write_atomically(self._path, text, private=True)
