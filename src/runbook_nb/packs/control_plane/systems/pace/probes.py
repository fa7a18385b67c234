"""What is read of the agent's pace."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.systems._fly import machine_settings
from runbook_nb.packs.control_plane.systems._limits import headroom_left
from runbook_nb.packs.control_plane.systems.pace._settings import ATTEMPTS, NAMES, PAUSE
from runbook_nb.probes.calls import Reading, Systems, probe

REFUSED: Final = """
select count(*) from composio_audit_events
where status = 'rate_limit' and occurred_at > now() - %(window)s
"""
# The platform's rule for headroom, and its quarter of an hour without a refusal.
ENOUGH: Final = 20.0


@probe(unit="attempts")
def attempts(systems: Systems) -> Reading:
    """Return how often the most impatient machine tries a refused call; rule: at most 5."""
    found = machine_settings(systems, NAMES)
    most = max((int(one[ATTEMPTS] or 1) for one in found.values()), default=1)
    return Reading(value=most, detail=found)


@probe(unit="machines")
def left_behind(systems: Systems, *, window: timedelta) -> Reading:
    """Count the machines that still pause although nothing was refused for this time.

    While calls are refused, or less than 20 % of Composio's limit is left, a pause is right.
    """
    found = machine_settings(systems, NAMES)
    slow = {machine: pace for machine, pace in found.items() if pace[PAUSE] is not None}
    if not slow:
        return Reading(value=0, detail=found)
    refused = systems.database().value(REFUSED, window=window)
    left, _ = headroom_left(systems)
    needless = not refused and isinstance(left, float) and left > ENOUGH
    detail = {"pauses": slow, "refused": refused, "limit left, %": left}
    return Reading(value=len(slow) if needless else 0, detail=detail)
