"""An emulator for Composio's status page: the public API of a page at Statuspage, which only reads.

What the page says is its keeper's to decide, not the API's: the lab brings it about on ``KEEPER``.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator

KEEPER: Final = "/__lab__/keeper"
COMPONENTS: Final = ("API", "Tool execution", "Connected accounts", "Triggers", "Dashboard")
_WELL: Final = "operational"
# How the worst component colours the page.
_INDICATORS: Final = {
    _WELL: ("none", "All Systems Operational"),
    "under_maintenance": ("maintenance", "Service Under Maintenance"),
    "degraded_performance": ("minor", "Partially Degraded Service"),
    "partial_outage": ("major", "Partial System Outage"),
    "major_outage": ("critical", "Major Service Outage"),
}
_RANKS: Final = tuple(_INDICATORS)


class StatusPage:
    """The page: how each component stands, and what is told of it."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._changed_at = _now()
        self._standing = dict.fromkeys(COMPONENTS, _WELL)
        self._incidents: list[dict[str, Any]] = []

    def app(self) -> Starlette:
        """Make the page's API; anybody may read it."""
        routes = [
            Route(f"/api/v2/{name}.json", self._show, methods=["GET"])
            for name in ("summary", "status", "components", "incidents/unresolved")
        ]
        return Starlette(routes=[*routes, Route(KEEPER, self._keep, methods=["POST", "DELETE"])])

    async def _show(self, request: Request) -> Response:
        indicator, description = _INDICATORS[max(self._standing.values(), key=_RANKS.index)]
        components = [
            {
                "id": f"cs{place:010d}",
                "name": name,
                "status": status,
                "position": place,
                "description": None,
                "showcase": True,
                "group": False,
                "group_id": None,
                "page_id": "composio0000",
                "only_show_if_degraded": False,
                "created_at": self._changed_at,
                "updated_at": self._changed_at,
            }
            for place, (name, status) in enumerate(self._standing.items(), start=1)
        ]
        whole = {
            "status": {"indicator": indicator, "description": description},
            "components": components,
            "incidents": self._incidents,
            "scheduled_maintenances": [],
        }
        page = {
            "id": "composio0000",
            "name": "Composio",
            "url": "https://status.composio.dev",
            "time_zone": "Etc/UTC",
            "updated_at": self._changed_at,
        }
        asked = request.url.path.removeprefix("/api/v2/").removesuffix(".json")
        wanted = {"summary": tuple(whole), "incidents/unresolved": ("incidents",)}.get(
            asked, (asked,)
        )
        return JSONResponse({"page": page, **{name: whole[name] for name in wanted}})

    async def _keep(self, request: Request) -> Response:
        """Let the keeper say how components stand; DELETE makes all of them well."""
        if request.method == "DELETE":
            self._begin()
            return JSONResponse({})
        for name, status in json.loads(await request.body()).items():
            if name not in self._standing or status not in _INDICATORS:
                return JSONResponse({"error": f"No {name!r} {status!r}"}, status_code=422)
            self._standing[name] = status
            self._incidents.insert(
                0,
                {
                    "id": f"inc{len(self._incidents):09d}",
                    "name": f"{name}: {status.replace('_', ' ')}",
                    "status": "investigating",
                    "impact": _INDICATORS[status][0],
                    "created_at": _now(),
                    "incident_updates": [],
                },
            )
        self._changed_at = _now()
        return JSONResponse({})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


EMULATOR = Emulator(
    name="composio_status",
    make=lambda _access: StatusPage().app(),
    token=False,
)
