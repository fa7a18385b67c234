"""The releases of the lab: what UI and agent are built from, and what each machine ran before."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runbook_nb.packs.control_plane.lab.agent_machine import Machine

# The commit whose schema the lab has.
COMMIT: Final = "0391382"
# Each release with its age in hours when the lab starts, the live one last. The newest is a day
# old: no check may suspect a recent change.
RELEASES: Final = (("v48", 162), ("v49", 94), ("v50", 26))
LIVE: Final = RELEASES[-1][0]

_IMAGE: Final = "registry.fly.io/ai-employee-agent"


def labelled(release: str, commit: str = COMMIT) -> dict[str, Any]:
    """Return what a machine's configuration says of its release: the image, and the metadata."""
    return {
        "image": f"{_IMAGE}:{release}",
        "metadata": {
            "fly_platform_version": "v2",
            "fly_process_group": "app",
            "fly_release_version": release.removeprefix("v"),
            "release": release,
            "commit": commit,
        },
    }


class Versions:
    """The configurations that each machine has had, newest first, as the API lists them.

    A machine of the lab stands for one that has run for days, so its history begins with the
    app's earlier releases.
    """

    def __init__(self) -> None:
        self._kept: dict[str, list[dict[str, Any]]] = {}

    def keep(self, machine: Machine) -> None:
        """Note the machine's present configuration, unless it is the one noted last."""
        kept = self._kept.setdefault(machine.id, _before(machine.config))
        shown = machine.as_json()
        if kept[0]["version"] != shown["instance_id"]:
            kept.insert(0, {"version": shown["instance_id"], "user_config": machine.config})

    async def show(self, _request: Request, machine: Machine) -> Response:
        """Answer with the machine's versions."""
        return JSONResponse(self._kept[machine.id])


def _before(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"version": f"01{release.upper():0>24}", "user_config": {**config, **labelled(release)}}
        for release, _hours_ago in reversed(RELEASES[:-1])
    ]
