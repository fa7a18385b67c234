"""How the user interface goes back."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.vercel._deployments import (
    live_deployment,
    ready_deployments,
    shown,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

TWO: Final = 2


@action(timeout_s=60, repeatable=True, contained=True)
def roll_back(systems: Systems) -> Json:
    """Point the production domains at the deployment before the newest one.

    Does nothing when an older one than the newest has them already, so that doing it twice does
    not go back twice. From then on new deployments wait for a promotion, until one is promoted.
    """
    live, target = live_deployment(systems), _target(systems)
    if target["created"] < live["created"]:
        systems.http("vercel").request("POST", _rollback(systems, target)).raise_for_status()
        return {"was": shown(live), "now": shown(target)}
    return {"was": shown(live), "now": shown(live)}


@roll_back.rehearsal
def _(systems: Systems) -> Json:
    live, target = live_deployment(systems), _target(systems)
    if target["created"] < live["created"]:
        request = f"POST {_rollback(systems, target)}"
        return {"would send": request, "live": shown(live), "would become": shown(target)}
    return {"would send": "nothing: it is rolled back already", "live": shown(live)}


@roll_back.undo
def _(systems: Systems, result: Json) -> Json:
    project = systems.setting("vercel", "project")
    path = f"/v10/projects/{project}/promote/{result['was']['deployment']}"
    if live_deployment(systems)["uid"] != result["was"]["deployment"]:
        systems.http("vercel").request("POST", path).raise_for_status()
    return {"promoted": result["was"]}


def _target(systems: Systems) -> dict[str, Any]:
    """Return the deployment before the newest."""
    newest_first = sorted(ready_deployments(systems), key=lambda one: -int(one["created"]))
    if len(newest_first) < TWO:
        message = "No earlier production deployment is ready to go back to."
        raise NoAnswerError(message)
    return newest_first[1]


def _rollback(systems: Systems, target: dict[str, Any]) -> str:
    return f"/v1/projects/{systems.setting('vercel', 'project')}/rollback/{target['uid']}"
