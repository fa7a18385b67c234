"""An action as its cell wrote it, before anything is asked or sent."""

from dataclasses import dataclass
from typing import Any

from runbook_nb.probes.calls import Action


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An action with its words, under the option it belongs to.

    ``changed`` tells that its cell is not the runbook's. ``uncovered`` names the steps, itself or
    its checks, whose cells are not in the text that an approval names.
    """

    title: str
    action: Action
    option: str
    because: tuple[str, ...]
    risk: str
    undo: str
    changed: bool = False
    uncovered: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """Return the fields that every event of this action carries."""
        return {
            "title": self.title,
            "call": str(self.action),
            "option": self.option,
            "because": "; ".join(self.because),
            "risk": self.risk,
            "undo": self.undo,
            "tells": self.action.tells,
        }
