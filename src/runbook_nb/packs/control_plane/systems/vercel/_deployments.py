"""The deployments of the user interface: the live one, and those that are ready."""

from typing import Any

from runbook_nb.packs.control_plane.systems import _vercel
from runbook_nb.probes.calls import Systems


def live_deployment(systems: Systems) -> dict[str, Any]:
    """Return the deployment that has the production domains, with the names of a listed one."""
    production = _vercel.live_deployment(systems)
    return {**production, "uid": production["id"], "created": production["createdAt"]}


def ready_deployments(systems: Systems) -> list[dict[str, Any]]:
    """Return the deployments that can be live, newest first."""
    return _vercel.deployments(systems, state="READY")


def shown(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return what a person needs to know of a deployment."""
    meta = deployment.get("meta", {})
    return {
        "deployment": deployment["uid"],
        "release": meta.get("release", "not said"),
        "commit": meta.get("githubCommitSha", "not said"),
    }
