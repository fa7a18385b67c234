"""What is read of silences."""

from datetime import timedelta

from runbook_nb.packs.control_plane.systems.alert_silences._silences import lasting_silences, told
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="silences")
def lasting(systems: Systems, *, longest: timedelta) -> Reading:
    """Count the silences that last longer than any planned work, or hide data or security."""
    found = lasting_silences(systems, longest)
    return Reading(value=len(found), detail=told(found))
