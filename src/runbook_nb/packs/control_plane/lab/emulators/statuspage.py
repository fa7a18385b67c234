"""An emulator for Statuspage: the incidents and components of one page.

It keeps no drafts, as Statuspage does not: what is created is on the page.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator

PAGE = "acp1status00"
_COMPONENTS = ("Missions", "Live updates", "Connections", "Evidence")
_STATUSES = frozenset({"investigating", "identified", "monitoring", "resolved"})

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(kw_only=True)
class Page:
    """The page's incidents by id, oldest first."""

    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)


def statuspage_app(*, key: str) -> Starlette:
    """Make the emulator; only ``key`` is accepted, with the scheme OAuth."""
    page = Page()

    def guarded(handler: Callable[[Page, Request], Awaitable[Response]]) -> Handler:
        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, f"OAuth {key}".encode()):
                return _error(HTTPStatus.UNAUTHORIZED, "Could not authenticate")
            if request.path_params["page"] != PAGE:
                return _error(HTTPStatus.NOT_FOUND, "Page not found")
            return await handler(page, request)

        return checked

    incidents = "/v1/pages/{page}/incidents"
    return Starlette(
        routes=[
            Route(incidents, guarded(_list), methods=["GET"]),
            Route(incidents, guarded(_create), methods=["POST"]),
            Route(f"{incidents}/unresolved", guarded(_unresolved), methods=["GET"]),
            Route(f"{incidents}/{{id}}", guarded(_show), methods=["GET"]),
            Route(f"{incidents}/{{id}}", guarded(_change), methods=["PATCH", "PUT"]),
            Route(f"{incidents}/{{id}}", guarded(_delete), methods=["DELETE"]),
            Route("/v1/pages/{page}/components", guarded(_components), methods=["GET"]),
        ]
    )


async def _list(page: Page, _request: Request) -> Response:
    return JSONResponse([*reversed(page.incidents.values())])


async def _unresolved(page: Page, _request: Request) -> Response:
    found = [one for one in reversed(page.incidents.values()) if one["status"] != "resolved"]
    return JSONResponse(found)


async def _create(page: Page, request: Request) -> Response:
    wanted = await _incident_of(request)
    if not wanted.get("name"):
        return _error(HTTPStatus.UNPROCESSABLE_ENTITY, ["name can't be blank"])
    status = wanted.get("status", "investigating")
    if status not in _STATUSES:
        return _error(HTTPStatus.UNPROCESSABLE_ENTITY, ["status is not included in the list"])
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    incident = {
        "id": secrets.token_hex(6),
        "name": wanted["name"],
        "status": status,
        "impact": "none",
        "page_id": PAGE,
        "created_at": now,
        "updated_at": now,
        "resolved_at": None,
        "incident_updates": [],
    }
    page.incidents[str(incident["id"])] = incident
    _tell(incident, wanted)
    return JSONResponse(incident, status_code=HTTPStatus.CREATED)


async def _show(page: Page, request: Request) -> Response:
    found = page.incidents.get(request.path_params["id"])
    return JSONResponse(found) if found else _error(HTTPStatus.NOT_FOUND, "Incident not found")


async def _change(page: Page, request: Request) -> Response:
    found = page.incidents.get(request.path_params["id"])
    if found is None:
        return _error(HTTPStatus.NOT_FOUND, "Incident not found")
    wanted = await _incident_of(request)
    if wanted.get("status", found["status"]) not in _STATUSES:
        return _error(HTTPStatus.UNPROCESSABLE_ENTITY, ["status is not included in the list"])
    _tell(found, wanted)
    return JSONResponse(found)


async def _delete(page: Page, request: Request) -> Response:
    found = page.incidents.pop(request.path_params["id"], None)
    return JSONResponse(found) if found else _error(HTTPStatus.NOT_FOUND, "Incident not found")


async def _components(_page: Page, _request: Request) -> Response:
    components = [
        {"id": f"cmp{place:09d}", "name": name, "status": "operational", "page_id": PAGE}
        for place, name in enumerate(_COMPONENTS)
    ]
    return JSONResponse(components)


async def _incident_of(request: Request) -> dict[str, Any]:
    try:
        found = (await request.json())["incident"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _tell(incident: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Take a change over and add the update that the page shows for it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    incident["status"] = wanted.get("status", incident["status"])
    incident["updated_at"] = now
    incident["resolved_at"] = now if incident["status"] == "resolved" else None
    incident["incident_updates"].insert(
        0,
        {
            "id": secrets.token_hex(6),
            "status": incident["status"],
            "body": wanted.get("body", ""),
            "deliver_notifications": wanted.get("deliver_notifications", True),
            "created_at": now,
        },
    )


def _error(status: HTTPStatus, error: object) -> Response:
    return JSONResponse({"error": error}, status_code=status)


EMULATOR = Emulator(
    name="statuspage",
    make=lambda access: statuspage_app(key=access.secret("statuspage.token")),
    settings={"token_format": "OAuth {token}", "page": PAGE},
)
