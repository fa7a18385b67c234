"""What is read of the errors behind flags."""

from datetime import timedelta

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.flags._store import (
    ANYTHING,
    enabled_flags,
    error_shares,
    failing_flags,
    store_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="%")
def error_share(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of errors behind the enabled flag with the most, in percent.

    Events behind a flag name it in ``context.feature_flag``. A flag counts from 20 events and three
    errors on, in the window or its newest tenth, and only if the same events fail half as often at
    most without it: what fails alike outside is not the flag's. With no flag enabled, or none to
    blame, the answer is 0; with flags enabled and no event at all, NoAnswerError.
    """
    enabled = enabled_flags(systems)
    if enabled and not systems.database().value(ANYTHING, window=window):
        message = "Nothing ran in the window, so nothing is known of the flags."
        raise NoAnswerError(message)
    failing = failing_flags(systems, window)
    return Reading(
        value=failing[0]["error_percent"] if failing else 0.0,
        detail={
            "store": store_of(systems),
            "enabled": enabled,
            "behind each and outside": error_shares(systems, enabled, window),
        },
    )
