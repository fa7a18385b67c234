"""What is on the belt, from the service's `/metrics`."""

from parcel_hall.exposition import Sample, samples
from runbook_nb import Impact, ImpactFigure, Reading, Systems, probe

# The contract with the senders: a quarter of the chutes at a standstill is a P2.
MAJOR = 0.25


@probe(unit="s")
def longest_round(systems: Systems) -> Reading:
    """Return how long the oldest parcel with a read label has been on the belt, in seconds."""
    text = systems.http("hall").get("/metrics").raise_for_status().text
    rounds = samples(text, "hall_longest_round_seconds")
    circling = samples(text, "hall_parcels_circling")
    return Reading(
        value=max(each.value for each in rounds),
        detail=[{"chute": each.labels["chute"], "s": each.value} for each in rounds],
        impact=_impact(circling),
    )


@probe(unit="parcels")
def unscanned(systems: Systems) -> Reading:
    """Return how many parcels on the belt have a label that no scanner has read."""
    text = systems.http("hall").get("/metrics").raise_for_status().text
    (sample,) = samples(text, "hall_parcels_unscanned")
    return Reading(value=int(sample.value))


def _impact(circling: list[Sample]) -> Impact:
    """Return what senders feel: parcels that go round, and the chutes that take none."""
    parcels = int(sum(each.value for each in circling))
    stuck = sum(each.value > 1 for each in circling)
    severity = "P2" if stuck >= MAJOR * len(circling) else ""
    return Impact(
        severity=severity,
        figures=(
            ImpactFigure(name="Parcels going round", value=str(parcels), weight=parcels),
            ImpactFigure(
                name="Chutes at a standstill", value=f"{stuck} of {len(circling)}", weight=stuck
            ),
        ),
    )
