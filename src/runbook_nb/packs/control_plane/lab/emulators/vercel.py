"""An emulator for Vercel: the part of its REST API that lists, rolls back and promotes deployments.

Paths and answers follow Vercel's REST reference: deployments v6 and v13, projects v9, rollback v1,
promote v10. A rollback also stops new deployments from taking the production domains by
themselves, until one is promoted. That time passes since a deployment the lab brings about on
``PASSING``.
"""

import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator
from runbook_nb.packs.control_plane.lab.release import COMMIT, RELEASES

PASSING: Final = "/__lab__/passing"
PROJECT: Final = "prj_aiEmployeeControlPlane"
_NAME: Final = "ai-employee-control-plane"
_DOMAINS: Final = ("app.production.example.com",)
_LONGEST_PAGE: Final = 100
_TIMES: Final = ("created", "createdAt", "buildingAt", "ready")

Answer = Callable[[Request], Awaitable[Response]]


class Vercel:
    """One project with its deployments, behind the API; the newest of the first ones is live."""

    def __init__(self, *, token: str) -> None:
        self._token = token
        self._deployments: dict[str, dict[str, Any]] = {}
        self._assigns = True
        self._last_request: dict[str, Any] | None = None
        self._last_rollback: dict[str, Any] | None = None
        now_ms = _now_ms()
        for release, hours_ago in RELEASES:
            meta = {"release": release, "githubCommitSha": COMMIT, "githubCommitRef": "main"}
            created = self._made(meta, target="production", at_ms=now_ms - hours_ago * 3_600_000)
            self._live = str(created["uid"])

    def app(self) -> Starlette:
        """Return the API."""
        project = "/v9/projects/{project}"
        routes: list[tuple[str, str, Answer]] = [
            ("GET", "/v6/deployments", self._list),
            ("POST", "/v13/deployments", self._create),
            ("GET", "/v13/deployments/{deployment}", self._show),
            ("DELETE", "/v13/deployments/{deployment}", self._delete),
            ("POST", PASSING + "/{deployment}", self._let_pass),
            ("GET", project, self._project),
            ("POST", "/v1/projects/{project}/rollback/{deployment}", self._rollback),
            # Vercel's own command line asks for the same at this older path.
            ("POST", project + "/rollback/{deployment}", self._rollback),
            ("POST", "/v10/projects/{project}/promote/{deployment}", self._promote),
        ]
        return Starlette(
            routes=[
                Route(path, self._authorised(answer), methods=[method])
                for method, path, answer in routes
            ],
            exception_handlers={HTTPException: _as_error},
        )

    def _authorised(self, answer: Answer) -> Answer:
        async def route(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not secrets.compare_digest(
                token.encode(), self._token.encode()
            ):
                raise HTTPException(HTTPStatus.FORBIDDEN, "Not authorized")
            if request.path_params.get("project", PROJECT) not in (PROJECT, _NAME):
                raise HTTPException(HTTPStatus.NOT_FOUND, "Project not found.")
            return await answer(request)

        return route

    async def _list(self, request: Request) -> Response:
        asked = request.query_params
        found = sorted(self._deployments.values(), key=lambda one: -int(one["created"]))
        for field in ("target", "state", "projectId"):
            if field in asked:
                allowed = asked[field].split(",")
                found = [one for one in found if one[field] in allowed]
        if asked.get("until", "").isdecimal():
            found = [one for one in found if int(one["created"]) < int(asked["until"])]
        if "rollbackCandidate" in asked:
            wanted = asked["rollbackCandidate"] == "true"
            found = [one for one in found if self._can_be_rolled_back_to(one) == wanted]
        try:
            page = found[: min(int(asked.get("limit", "20")), _LONGEST_PAGE)]
        except ValueError:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "`limit` should be a number") from None
        following = page[-1]["created"] if len(page) < len(found) else None
        previous = page[0]["created"] if page else None
        pagination = {"count": len(page), "next": following, "prev": previous}
        shown = [{**one, "isRollbackCandidate": self._can_be_rolled_back_to(one)} for one in page]
        return JSONResponse({"deployments": shown, "pagination": pagination})

    async def _create(self, request: Request) -> Response:
        body = await _body(request)
        meta = body.get("meta") or {}
        if not isinstance(meta, dict) or not body.get("name"):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "`name` is required; `meta` is an object")
        made = self._made(meta, target=body.get("target"), at_ms=_now_ms())
        if made["target"] == "production" and self._assigns:
            self._live = str(made["uid"])
        return JSONResponse(_detailed(made))

    async def _show(self, request: Request) -> Response:
        return JSONResponse(_detailed(self._named(request)))

    async def _delete(self, request: Request) -> Response:
        named = self._named(request)
        if named["uid"] == self._live:
            raise HTTPException(HTTPStatus.CONFLICT, "The deployment has production domains.")
        self._deployments.pop(named["uid"])
        return JSONResponse({"uid": named["uid"], "state": "DELETED"})

    async def _let_pass(self, request: Request) -> Response:
        """Make a deployment so many minutes older."""
        older_ms = int((await _body(request))["minutes"]) * 60_000
        named = self._named(request)
        named.update({key: named[key] - older_ms for key in _TIMES if key in named})
        return JSONResponse({"uid": named["uid"]})

    async def _project(self, _request: Request) -> Response:
        live = self._deployments[self._live]
        target = {**_detailed(live), "alias": list(_DOMAINS)}
        return JSONResponse(
            {
                "id": PROJECT,
                "name": _NAME,
                "framework": "nextjs",
                "autoAssignCustomDomains": self._assigns,
                "targets": {"production": target},
                "lastAliasRequest": self._last_request,
                "lastRollbackTarget": self._last_rollback,
            }
        )

    async def _rollback(self, request: Request) -> Response:
        wanted = self._named(request)
        if not self._can_be_rolled_back_to(wanted):
            raise HTTPException(
                HTTPStatus.UNPROCESSABLE_ENTITY, "The deployment cannot be rolled back to."
            )
        self._assigns = False
        self._last_rollback = wanted
        self._point_at(wanted, kind="rollback")
        return Response(status_code=HTTPStatus.CREATED)

    async def _promote(self, request: Request) -> Response:
        wanted = self._named(request)
        if wanted["uid"] == self._live and self._assigns:
            raise HTTPException(HTTPStatus.CONFLICT, "The deployment is the current one already.")
        self._assigns = True
        self._last_rollback = None
        self._point_at(wanted, kind="promote")
        return Response(status_code=HTTPStatus.CREATED)

    def _point_at(self, wanted: Mapping[str, Any], *, kind: str) -> None:
        self._last_request = {
            "fromDeploymentId": self._live,
            "toDeploymentId": wanted["uid"],
            "jobStatus": "succeeded",
            "requestedAt": _now_ms(),
            "type": kind,
        }
        self._live = str(wanted["uid"])

    def _can_be_rolled_back_to(self, one: Mapping[str, Any]) -> bool:
        built = one["state"] == "READY" and one["target"] == "production"
        return bool(built and one["uid"] != self._live)

    def _named(self, request: Request) -> dict[str, Any]:
        wanted = request.path_params["deployment"]
        for one in self._deployments.values():
            if wanted in (one["uid"], one["url"]):
                return one
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Could not find the deployment: {wanted}")

    def _made(self, meta: Mapping[str, Any], *, target: str | None, at_ms: int) -> dict[str, Any]:
        uid = f"dpl_{secrets.token_hex(14)}"
        self._deployments[uid] = {
            "uid": uid,
            "name": _NAME,
            "projectId": PROJECT,
            "url": f"{_NAME}-{uid[4:13]}.vercel.app",
            "created": at_ms,
            "createdAt": at_ms,
            "ready": at_ms,
            "state": "READY",
            "readyState": "READY",
            "target": target,
            "type": "LAMBDAS",
            "meta": dict(meta),
        }
        return self._deployments[uid]


def _detailed(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment as v13 shows it, whose id is called so."""
    return {"id": one["uid"], **{name: one[name] for name in one if name not in ("uid", "state")}}


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "Invalid JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The body should be an object")
    return body


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_CODES: Final = {400: "bad_request", 403: "forbidden", 404: "not_found", 409: "conflict"}


async def _as_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "unprocessable_entity")
    return JSONResponse(
        {"error": {"code": code, "message": error.detail}}, status_code=error.status_code
    )


EMULATOR = Emulator(
    name="vercel",
    make=lambda access: Vercel(token=access.secret("vercel.token")).app(),
    settings={"project": PROJECT},
)
