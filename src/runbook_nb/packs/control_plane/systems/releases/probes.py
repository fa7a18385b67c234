"""What is read of the releases."""

from runbook_nb.packs.control_plane.systems.releases._machines import (
    IN_FLIGHT,
    demand_machines,
    earlier_versions,
    live_interface,
    release_of,
    standing_of,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="")
def pairing(systems: Systems) -> Reading:
    """Compare the live releases of UI and agent; both are named where they differ.

    ``same release`` is the rule. ``canary``: half of the machines or fewer try a newer release that
    the UI never had. ``rolling out``: the UI went live within ten minutes, and machines follow.
    """
    interface = live_interface(systems)
    machines = demand_machines(systems)
    agent = {machine["id"]: release_of(machine["config"]) for machine in machines}
    named = sorted(set(agent.values()))
    said = f"ui {interface['release']}, agent {' and '.join(named)}"
    return Reading(
        value=standing_of(systems, interface, machines) or said,
        detail={"ui": interface, "agent": agent},
    )


@probe(unit="releases")
def ways_back(systems: Systems) -> Reading:
    """Count the releases before the running one that every machine can go back to."""
    earlier = {
        machine["id"]: sorted(
            {release_of(one["user_config"]) for one in earlier_versions(systems, machine)}
        )
        for machine in demand_machines(systems)
    }
    return Reading(value=min(map(len, earlier.values())), detail=earlier)


@probe(unit="missions")
def in_flight(systems: Systems) -> Reading:
    """Count the missions that are being executed now; a restart of the agent cuts their calls."""
    rows = systems.database().rows(IN_FLIGHT)
    return Reading(value=len(rows), detail=rows)
