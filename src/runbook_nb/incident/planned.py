"""An action as its cell wrote it, before anything is asked or sent."""

from dataclasses import dataclass
from typing import Any

from runbook_nb.calls import Action


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An action with its words, under the option it belongs to."""

    title: str
    action: Action
    option: str
    because: tuple[str, ...]
    risk: str
    undo: str

    def described(self) -> dict[str, Any]:
        """Return the fields that every event of this action carries."""
        return {
            "title": self.title,
            "call": str(self.action),
            "option": self.option,
            "because": "; ".join(self.because),
            "risk": self.risk,
            "undo": self.undo,
        }
