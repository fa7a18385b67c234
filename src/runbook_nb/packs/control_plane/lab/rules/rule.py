"""What an alert rule is: a question about the lab that fires when its answer is true."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.state import LabState

# How far the rules look back; the lab beats thirty times as often as the platform.
WINDOW_S: Final = 30


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One alert rule: it fires when its question answers true."""

    name: str
    severity: str
    summary: str
    fires: Callable[[LabState, Any], bool]
    service: str = "agent"


def sql(question: str) -> Callable[[LabState, Any], bool]:
    """Return a question in SQL whose first column tells; ``window`` is bound, in seconds."""

    def fires(_lab: LabState, connection: Any) -> bool:
        row = connection.execute(question, {"window": WINDOW_S}).fetchone()
        return bool(row[0])

    return fires
