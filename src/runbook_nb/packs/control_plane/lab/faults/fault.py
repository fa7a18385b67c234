"""What a fault is: a failure of the lab that can be injected and healed."""

from collections.abc import Callable
from dataclasses import dataclass

from runbook_nb.packs.control_plane.lab.state import LabState


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A failure made from outside: with rows, signals and the partners' own APIs.

    ``inject`` returns once the failure is really there. ``heal`` restores health whatever was
    done meanwhile, and may be called again, or when nothing was injected. Both raise LabError
    when they cannot.
    """

    name: str
    title: str
    inject: Callable[[LabState], None]
    heal: Callable[[LabState], None]
