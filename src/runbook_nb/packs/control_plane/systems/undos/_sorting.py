"""Which undos are open, and what stands in the way of each: one cause for each request."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.systems.undos._effects import (
    Effect,
    StepEffect,
    effects_of,
    obstacles,
)
from runbook_nb.packs.control_plane.systems.undos._requests import Request, requests
from runbook_nb.probes.calls import Systems

# An alert looks at seven days of undos, and so do we.
WINDOW: Final = timedelta(days=7)
# Each read costs a call, and a broken route shows in the newest undos of a tenant.
PROVEN_A_TENANT: Final = 5


@dataclass(frozen=True, kw_only=True)
class OpenUndo:
    """An undo that was asked for and neither done nor settled, with what its steps left behind."""

    request: Request
    effects: Sequence[StepEffect]

    def has(self, *wanted: Effect) -> bool:
        """Tell whether a step has left one of these behind."""
        return any(one.effect in wanted for one in self.effects)

    @property
    def obstructed(self) -> bool:
        """Whether something stands in the way of taking all of it back."""
        return not self.request.written or bool(obstacles(self.effects))

    @property
    def undone(self) -> bool:
        """Whether every step is as before the run."""
        return bool(self.effects) and all(one.effect is Effect.REVERSED for one in self.effects)


def open_undos(systems: Systems) -> list[OpenUndo]:
    """Return the undos that are open, their steps read at the customers' tools."""
    found = [one for one in requests(systems, window=WINDOW) if one.open]
    return _with_effects(systems, found)


def newest_claimed(systems: Systems) -> list[OpenUndo]:
    """Return the newest five undos of each tenant that say they were executed, steps read."""
    by_tenant: dict[str, list[Request]] = defaultdict(list)
    for one in requests(systems, window=WINDOW):
        if one.ended == "executed" and one.written and not one.settled:
            by_tenant[one.tenant].append(one)
    newest = [one for own in by_tenant.values() for one in own[:PROVEN_A_TENANT]]
    return _with_effects(systems, newest)


def _with_effects(systems: Systems, found: Iterable[Request]) -> list[OpenUndo]:
    return [OpenUndo(request=one, effects=effects_of(systems, [one])) for one in found]
