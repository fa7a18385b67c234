"""An action as its cell wrote it, before anything is asked or sent."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook_nb.incident.approval import call_digest
from runbook_nb.probes.calls import Action
from runbook_nb.timeline.events import UNDO


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An action with its words, under the option it belongs to.

    ``changed`` tells that its cell is not the runbook's. ``uncovered`` names the steps, itself or
    its checks, whose cells are not in the text that an approval names. ``taken_back`` marks the
    undo of it.
    """

    title: str
    action: Action
    option: str
    because: tuple[str, ...]
    risk: str
    undo: str
    changed: bool = False
    uncovered: tuple[str, ...] = ()
    taken_back: bool = False

    @property
    def call(self) -> str:
        """What would be sent, as a person reads it."""
        return f"undo of {self.action}" if self.taken_back else str(self.action)

    def as_undo(self) -> "Planned":
        """Return the undo of this action, with a title of its own that a yes must name."""
        title = f"{UNDO}{self.title}"
        return replace(self, title=title, option=title, taken_back=True)

    def described(self, *, because: Sequence[str]) -> dict[str, Any]:
        """Return the fields of every event of this action; the checks ``because`` failed."""
        return {
            "title": self.title,
            "call": self.call,
            "call_digest": call_digest(self.call),
            "option": self.option,
            "because": "; ".join(because),
            "risk": self.risk,
            "undo": self.undo,
            "tells": self.action.tells,
        }
