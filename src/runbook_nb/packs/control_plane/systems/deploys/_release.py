"""The newest release that is live, and when it was deployed."""

from datetime import UTC, datetime

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import agent_machines
from runbook_nb.packs.control_plane.systems._vercel import deployments, live_deployment
from runbook_nb.probes.calls import Systems


def newest_live(systems: Systems) -> tuple[str, datetime]:
    """Return the newest release that UI or agent run, and when it was deployed."""
    live = {live_deployment(systems)["meta"].get("release")}
    for machine in agent_machines(systems):
        live.add(machine["config"].get("metadata", {}).get("release"))
    dated = [
        (int(one["created"]), str(one["meta"]["release"]))
        for one in deployments(systems)
        if one.get("meta", {}).get("release") in live - {None}
    ]
    if not dated:
        message = "No live release is listed among the deployments, so its time is not known."
        raise NoAnswerError(message)
    created, release = max(dated)
    return release, datetime.fromtimestamp(created / 1000, tz=UTC)
