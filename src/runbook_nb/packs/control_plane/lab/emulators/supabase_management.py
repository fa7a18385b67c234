"""An emulator for Supabase's Management API: the backups of a project, and restoring in place.

It is the partner that takes the nightly backup, as soon as it runs. A restore in place is
accepted and recorded, and the rows stay as they are: the lab's database cannot be swapped.
"""

import logging
import secrets
import threading
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.backups import manifests, take_nightly
from runbook_nb.packs.control_plane.lab.emulators.emulator import Access, Emulator

REF = "aiemployeelabproject"
_PITR_WINDOW = timedelta(days=7, hours=1)
# The keys of a healthy project: rotated this quarter.
_KEYS_AGE = timedelta(days=40)
# How time passes for the keys; nothing of the platform speaks to it.
KEYS = "/__lab__/keys"

_log = logging.getLogger(__name__)


class ManagedProject:
    """One hosted project with its backups, as its ``folder`` holds them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._status = "ACTIVE_HEALTHY"
        self._began, self._keys_age = datetime.now(UTC), _KEYS_AGE

    def shown(self) -> dict[str, Any]:
        """Return the project as the API shows it."""
        return {"id": REF, "name": "lab", "region": "eu-central-1", "status": self._status}

    def backups(self) -> dict[str, Any]:
        """Return the list of backups, the newest first, and the window of restorable times."""
        now = datetime.now(UTC)
        known = manifests(self._folder)
        return {
            "region": "eu-central-1",
            "walg_enabled": True,
            "pitr_enabled": True,
            "backups": [
                {
                    "id": len(known) - place,
                    "is_physical_backup": True,
                    "status": backup["status"],
                    "inserted_at": backup["finished_at"],
                }
                for place, backup in enumerate(known.values())
            ],
            "physical_backup_data": {
                "earliest_physical_backup_date_unix": int((now - _PITR_WINDOW).timestamp()),
                "latest_physical_backup_date_unix": int(now.timestamp()),
            },
        }

    def keys(self) -> list[dict[str, Any]]:
        """Return the project's API keys as the API lists them: never in full."""
        return [
            {
                "id": f"00000000-0000-4000-8000-00000000000{place}",
                "name": "default",
                "type": kind,
                "prefix": f"sb_{kind}_lab",
                "api_key": f"sb_{kind}_lab··········",
                "inserted_at": (self._began - self._keys_age).isoformat(),
                "updated_at": (self._began - self._keys_age).isoformat(),
            }
            for place, kind in enumerate(("publishable", "secret"))
        ]

    def age_keys(self, days: int) -> None:
        """Make every key so many days old."""
        self._keys_age = timedelta(days=days)

    def restore_to(self, moment: datetime) -> bool:
        """Begin to restore in place; False when the moment is out of the window."""
        now = datetime.now(UTC)
        if not now - _PITR_WINDOW <= moment <= now:
            return False
        self._status = "RESTORING"
        return True


def management_app(*, token: str, project: ManagedProject) -> Starlette:
    """Make the emulator; only ``token`` opens it."""

    async def show(request: Request) -> Response:
        return _refused(request, token) or JSONResponse(project.shown())

    async def backups(request: Request) -> Response:
        return _refused(request, token) or JSONResponse(project.backups())

    async def keys(request: Request) -> Response:
        return _refused(request, token) or JSONResponse(project.keys())

    async def age(request: Request) -> Response:
        project.age_keys(int((await request.json())["days"]))
        return JSONResponse({})

    async def restore(request: Request) -> Response:
        if refusal := _refused(request, token):
            return refusal
        try:
            unix = int((await request.json())["recovery_time_target_unix"])
            moment = datetime.fromtimestamp(unix, UTC)
        except (ValueError, KeyError, TypeError, OverflowError):
            return _error(HTTPStatus.BAD_REQUEST, "recovery_time_target_unix must be an integer")
        if not project.restore_to(moment):
            said = "recovery_time_target_unix is outside the recovery window"
            return _error(HTTPStatus.BAD_REQUEST, said)
        return Response(status_code=HTTPStatus.CREATED)

    at = "/v1/projects/{ref}"
    return Starlette(
        routes=[
            Route(at, show),
            Route(f"{at}/api-keys", keys),
            Route(KEYS, age, methods=["POST"]),
            Route(f"{at}/database/backups", backups),
            Route(f"{at}/database/backups/restore-pitr", restore, methods=["POST"]),
        ]
    )


def _refused(request: Request, token: str) -> Response | None:
    sent = request.headers.get("authorization", "").encode()
    if not secrets.compare_digest(sent, f"Bearer {token}".encode()):
        return _error(HTTPStatus.UNAUTHORIZED, "Unauthorized")
    if request.path_params["ref"] != REF:
        return _error(HTTPStatus.NOT_FOUND, "Project not found")
    return None


def _error(code: HTTPStatus, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=code)


def _take_tonight(access: Access) -> None:
    try:
        take_nightly(access.folder, access.secret("postgres.dsn"))
    except (OSError, psycopg.Error) as error:
        _log.warning("No backup was taken: %s", error)


def _make(access: Access) -> Starlette:
    threading.Thread(target=_take_tonight, args=(access,), name="nightly", daemon=True).start()
    token = access.secret("supabase_management.token")
    return management_app(token=token, project=ManagedProject(access.folder))


EMULATOR = Emulator(name="supabase_management", make=_make, settings={"ref": REF})
