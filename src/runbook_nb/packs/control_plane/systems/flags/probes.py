"""What is read of the errors behind flags."""

from datetime import timedelta

from runbook_nb.packs.control_plane.systems.flags._store import (
    enabled_flags,
    error_shares,
    store_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="%")
def error_share(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of errors behind the enabled flag with the most, in percent.

    Events behind a flag name it in ``context.feature_flag``. A flag with fewer than 20 events in
    the window is not judged; with no flag enabled the answer is 0.
    """
    enabled = enabled_flags(systems)
    shares = error_shares(systems, enabled, window)
    return Reading(
        value=shares[0]["error_percent"] if shares else 0.0,
        detail={"store": store_of(systems), "enabled": enabled, "behind each": shares},
    )
