"""An emulator for Alertmanager 0.25: of the API v2 silences and status, and the reload."""

import json
import re
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.alerting.files import ROUTES, SILENCES, place, shipped
from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator
from runbook_nb.packs.control_plane.lab.emulators.reload import reload_route
from runbook_nb.timeline.store.embedded.files import write_whole

_SIDES: Final = ("source_matchers", "target_matchers")
_MATCHER: Final = re.compile(r'\w+\s*(=|!=|=~|!~)\s*".*"')


class Alertmanager:
    """One server: it goes by the routes it has loaded, and keeps its silences in a file."""

    def __init__(self, lab: Path) -> None:
        self._lab = lab
        self.routes = shipped(ROUTES)

    def load(self) -> None:
        """Load the routes; ValueError for a file that it refuses, and the old ones stay."""
        text = place(self._lab, ROUTES).read_text(encoding="utf-8")
        try:
            read = yaml.safe_load(text)
            rules = read.get("inhibit_rules") or []
            matchers = [one for rule in rules for side in _SIDES for one in rule.get(side, [])]
        except (yaml.YAMLError, AttributeError, TypeError) as error:
            raise ValueError(str(error)) from error
        if wrong := [one for one in matchers if not _MATCHER.fullmatch(one)]:
            message = f"bad matcher format: {wrong[0]}"
            raise ValueError(message)
        self.routes = text

    def silences(self) -> list[dict[str, Any]]:
        """Return all silences with their state now."""
        kept = json.loads(place(self._lab, SILENCES).read_text(encoding="utf-8"))
        return [{**one, "status": {"state": _state(one)}} for one in kept]

    def keep(self, silences: list[dict[str, Any]]) -> None:
        """Keep these silences."""
        write_whole(place(self._lab, SILENCES), json.dumps(silences))


def alertmanager_app(lab: Path) -> Starlette:
    """Make the emulator over the files of the lab."""
    server = Alertmanager(lab)

    async def status(_request: Request) -> Response:
        return JSONResponse(
            {
                "cluster": {"status": "disabled", "peers": []},
                # Alertmanager writes what it has loaded in its own way, not as the file has it.
                "config": {"original": yaml.safe_dump(yaml.safe_load(server.routes))},
                "versionInfo": {"version": "0.25.0"},
                "uptime": _written(datetime.now(UTC)),
            }
        )

    async def silences(request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(server.silences())
        return _create(server, await request.json())

    async def silence(request: Request) -> Response:
        return _expire(server, request.path_params["id"])

    return Starlette(
        routes=[
            Route("/api/v2/status", status, methods=["GET"]),
            Route("/api/v2/silences", silences, methods=["GET", "POST"]),
            Route("/api/v2/silence/{id}", silence, methods=["DELETE"]),
            reload_route(server.load),
        ]
    )


def _create(server: Alertmanager, wanted: dict[str, Any]) -> Response:
    now = datetime.now(UTC)
    if datetime.fromisoformat(wanted["endsAt"]) <= now:
        said = "Failed to create silence: end time can't be in the past"
        return JSONResponse(said, status_code=HTTPStatus.BAD_REQUEST)
    created = {
        "id": secrets.token_hex(16),
        "startsAt": max(wanted["startsAt"], _written(now)),
        "updatedAt": _written(now),
        **{name: wanted[name] for name in ("matchers", "endsAt", "createdBy", "comment")},
    }
    server.keep([*server.silences(), created])
    return JSONResponse({"silenceID": created["id"]})


def _expire(server: Alertmanager, name: str) -> Response:
    kept = server.silences()
    found = next((one for one in kept if one["id"] == name), None)
    if found is None:
        said = f"silence {name} not found"
        return JSONResponse(said, status_code=HTTPStatus.NOT_FOUND)
    if _state(found) != "expired":
        found["endsAt"] = found["updatedAt"] = _written(datetime.now(UTC))
    server.keep(kept)
    return JSONResponse(None)


def _state(silence: dict[str, Any]) -> str:
    now = datetime.now(UTC)
    if datetime.fromisoformat(silence["endsAt"]) <= now:
        return "expired"
    return "pending" if datetime.fromisoformat(silence["startsAt"]) > now else "active"


def _written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


EMULATOR = Emulator(
    name="alertmanager", make=lambda access: alertmanager_app(access.folder), token=False
)
