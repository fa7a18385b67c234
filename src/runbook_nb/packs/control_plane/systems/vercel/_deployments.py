"""The deployments of the user interface: the live one, and those that are ready."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

READY: Final = {"target": "production", "state": "READY", "limit": "20"}


def live_deployment(systems: Systems) -> dict[str, Any]:
    """Return the deployment that has the production domains."""
    vercel, project = systems.http("vercel"), systems.setting("vercel", "project")
    found = vercel.get(f"/v9/projects/{project}").raise_for_status().json()
    production = (found.get("targets") or {}).get("production")
    if not production:
        message = f"The project {project} has no production deployment."
        raise NoAnswerError(message)
    return {**production, "uid": production["id"], "created": production["createdAt"]}


def ready_deployments(systems: Systems) -> list[dict[str, Any]]:
    """Return the deployments that can be live, newest first."""
    params = {**READY, "projectId": systems.setting("vercel", "project")}
    listed = systems.http("vercel").get("/v6/deployments", params=params).raise_for_status()
    found: list[dict[str, Any]] = listed.json()["deployments"]
    return found


def shown(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return what a person needs to know of a deployment."""
    meta = deployment.get("meta", {})
    return {
        "deployment": deployment["uid"],
        "release": meta.get("release", "not said"),
        "commit": meta.get("githubCommitSha", "not said"),
    }
