"""What is read of pages that come in pairs."""

from datetime import timedelta

from runbook_nb.packs.control_plane.systems._alerting import findings, proposals
from runbook_nb.packs.control_plane.systems._alerting.past import read_past
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="pairs", timeout_s=30)
def duplicates(systems: Systems, *, window: timedelta) -> Reading:
    """Count the pairs of rules that page for one component within ten minutes, time and again."""
    past = read_past(systems, window=window)
    found = [
        {"rule": pair.target, "pages beside": pair.source, "times": times}
        for pair, times in findings.duplicates(past)
    ]
    proposed = [one.told() for _, one in proposals.inhibited(past)]
    return Reading(value=len(found), detail={"pairs": found, "proposed": proposed})
