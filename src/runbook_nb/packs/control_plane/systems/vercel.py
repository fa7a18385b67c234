"""The user interface at Vercel: what is live, what it can go back to, and how to go back.

A rollback points the production domains at an earlier deployment; nothing is built. Its settings
are those of its build, so later changes of environment variables do not apply to it.
"""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json

READY: Final = {"target": "production", "state": "READY", "limit": "20"}
TWO: Final = 2


@probe(unit="deployments")
def ways_back(systems: Systems) -> Reading:
    """Count the production deployments, built and ready, that are older than the live one."""
    live = _live(systems)
    earlier = [one for one in _ready(systems) if one["created"] < live["created"]]
    return Reading(
        value=len(earlier), detail={"live": _shown(live), "earlier": [_shown(d) for d in earlier]}
    )


@action(timeout_s=60, repeatable=True)
def roll_back(systems: Systems) -> Json:
    """Point the production domains at the deployment before the newest one.

    Does nothing when an older one than the newest has them already, so that doing it twice does
    not go back twice. From then on new deployments wait for a promotion, until one is promoted.
    """
    live, target = _live(systems), _target(systems)
    if target["created"] < live["created"]:
        systems.http("vercel").request("POST", _rollback(systems, target)).raise_for_status()
        return {"was": _shown(live), "now": _shown(target)}
    return {"was": _shown(live), "now": _shown(live)}


@roll_back.rehearsal
def _(systems: Systems) -> Json:
    live, target = _live(systems), _target(systems)
    if target["created"] < live["created"]:
        request = f"POST {_rollback(systems, target)}"
        return {"would send": request, "live": _shown(live), "would become": _shown(target)}
    return {"would send": "nothing: it is rolled back already", "live": _shown(live)}


@roll_back.undo
def _(systems: Systems, result: Json) -> Json:
    project = systems.setting("vercel", "project")
    path = f"/v10/projects/{project}/promote/{result['was']['deployment']}"
    if _live(systems)["uid"] != result["was"]["deployment"]:
        systems.http("vercel").request("POST", path).raise_for_status()
    return {"promoted": result["was"]}


def _live(systems: Systems) -> dict[str, Any]:
    """Return the deployment that has the production domains."""
    vercel, project = systems.http("vercel"), systems.setting("vercel", "project")
    found = vercel.get(f"/v9/projects/{project}").raise_for_status().json()
    production = (found.get("targets") or {}).get("production")
    if not production:
        message = f"The project {project} has no production deployment."
        raise NoAnswerError(message)
    return {**production, "uid": production["id"], "created": production["createdAt"]}


def _target(systems: Systems) -> dict[str, Any]:
    """Return the deployment before the newest."""
    newest_first = sorted(_ready(systems), key=lambda one: -int(one["created"]))
    if len(newest_first) < TWO:
        message = "No earlier production deployment is ready to go back to."
        raise NoAnswerError(message)
    return newest_first[1]


def _ready(systems: Systems) -> list[dict[str, Any]]:
    params = {**READY, "projectId": systems.setting("vercel", "project")}
    listed = systems.http("vercel").get("/v6/deployments", params=params).raise_for_status()
    found: list[dict[str, Any]] = listed.json()["deployments"]
    return found


def _rollback(systems: Systems, target: dict[str, Any]) -> str:
    return f"/v1/projects/{systems.setting('vercel', 'project')}/rollback/{target['uid']}"


def _shown(deployment: dict[str, Any]) -> dict[str, Any]:
    meta = deployment.get("meta", {})
    return {
        "deployment": deployment["uid"],
        "release": meta.get("release", "not said"),
        "commit": meta.get("githubCommitSha", "not said"),
    }
