"""An emulator for PagerDuty: the Events API v2; of the REST API incidents, notes, log, on-calls.

The routing key of its one service is the first 32 characters of the account's token.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator
from runbook_nb.packs.control_plane.lab.emulators.pagerduty_history import (
    SERVICE,
    past_entries,
    past_incidents,
)

FROM = "ops-oncall@company.com"
_KEY_LENGTH = 32
_MOST = 100  # items on one page, as PagerDuty has it
_ON_CALL = ("Primary on-call", "Secondary on-call", "Incident Commander")
_ACTIONS = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}
_SEVERITIES = frozenset({"critical", "error", "warning", "info"})

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(kw_only=True)
class PagerDutyAccount:
    """One account with one service, and its incidents by id; the lab keeps its past weeks."""

    token: str
    lab: Path
    incidents: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def open(self, key: str) -> dict[str, Any] | None:
        """Return the incident of a key that is not resolved."""
        same = (one for one in self.incidents.values() if one["incident_key"] == key)
        return next((one for one in same if one["status"] != "resolved"), None)

    def create(self, *, title: str, key: str, urgency: str, body: object) -> dict[str, Any]:
        """Add a triggered incident."""
        number = len(self.incidents) + 1
        incident = {
            "id": f"Q{secrets.token_hex(7).upper()}",
            "type": "incident",
            "incident_number": number,
            "title": title,
            "summary": f"[#{number}] {title}",
            "status": "triggered",
            "urgency": urgency,
            "incident_key": key,
            "service": {"id": SERVICE, "type": "service_reference", "summary": "Control plane"},
            "body": body,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.incidents[str(incident["id"])] = incident
        return incident


def pagerduty_app(*, token: str, lab: Path) -> Starlette:
    """Make the emulator; only ``token`` opens the REST API."""
    account = PagerDutyAccount(token=token, lab=lab)

    def guarded(handler: Callable[[PagerDutyAccount, Request], Awaitable[Response]]) -> Handler:
        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, f"Token token={token}".encode()):
                return _error(HTTPStatus.UNAUTHORIZED, 2006, "Authentication failed")
            if request.method in {"POST", "PUT"} and "@" not in request.headers.get("from", ""):
                said = 'You must specify a user\'s email address in the "From" header'
                return _error(HTTPStatus.BAD_REQUEST, 1008, f"{said} to perform this action")
            return await handler(account, request)

        return checked

    async def enqueue(request: Request) -> Response:
        return await _enqueue(account, request)

    return Starlette(
        routes=[
            Route("/v2/enqueue", enqueue, methods=["POST"]),
            Route("/incidents", guarded(_list), methods=["GET"]),
            Route("/incidents", guarded(_create), methods=["POST"]),
            Route("/incidents/{id}", guarded(_incident), methods=["GET", "PUT"]),
            Route("/incidents/{id}/notes", guarded(_notes), methods=["GET", "POST"]),
            Route("/log_entries", guarded(_log), methods=["GET"]),
            Route("/oncalls", guarded(_on_calls), methods=["GET"]),
        ]
    )


async def _enqueue(account: PagerDutyAccount, request: Request) -> Response:
    event = await _json(request)
    key, action = str(event.get("routing_key", "")), event.get("event_action")
    if len(key) != _KEY_LENGTH:
        return _invalid(
            f"Length of 'routing_key' is incorrect (should be {_KEY_LENGTH} characters)"
        )
    if action not in _ACTIONS:
        return _invalid("'event_action' is missing or invalid")
    payload = event.get("payload") or {}
    if action == "trigger" and (
        not payload.get("summary")
        or not payload.get("source")
        or payload.get("severity") not in _SEVERITIES
    ):
        return _invalid("'payload' needs summary, source and severity")
    dedup = str(event.get("dedup_key") or secrets.token_hex(16))
    # An unknown key is taken with 202 too: PagerDuty looks later where an event belongs.
    if secrets.compare_digest(key, account.token[:_KEY_LENGTH]):
        _apply(account, dedup, str(action), payload)
    answer = {"status": "success", "message": "Event processed", "dedup_key": dedup}
    return JSONResponse(answer, status_code=HTTPStatus.ACCEPTED)


def _apply(account: PagerDutyAccount, key: str, action: str, payload: Mapping[str, Any]) -> None:
    present = account.open(key)
    if action == "trigger" and present is None:
        urgency = "high" if payload["severity"] in {"critical", "error"} else "low"
        account.create(title=payload["summary"], key=key, urgency=urgency, body=dict(payload))
    elif action != "trigger" and present is not None:
        present["status"] = _ACTIONS[action]


async def _list(account: PagerDutyAccount, request: Request) -> Response:
    statuses = request.query_params.getlist("statuses[]")
    services = request.query_params.getlist("service_ids[]")
    key = request.query_params.get("incident_key")
    found = [
        one
        for one in [*reversed(account.incidents.values()), *reversed(past_incidents(account.lab))]
        if (not statuses or one["status"] in statuses)
        and (not services or one["service"]["id"] in services)
        and key in (None, one["incident_key"])
        and _asked_for(request, one)
    ]
    return _part(request, "incidents", found)


async def _log(account: PagerDutyAccount, request: Request) -> Response:
    found = [one for one in past_entries(account.lab) if _asked_for(request, one)]
    return _part(request, "log_entries", found)


def _asked_for(request: Request, one: Mapping[str, Any]) -> bool:
    """Tell whether something was created in the time that the request asks about."""
    at = datetime.fromisoformat(one["created_at"])
    since, until = (request.query_params.get(name) for name in ("since", "until"))
    return (since is None or at >= datetime.fromisoformat(since)) and (
        until is None or at < datetime.fromisoformat(until)
    )


def _part(request: Request, name: str, found: list[dict[str, Any]]) -> Response:
    """Return the part of a listing that a request asks for; PagerDuty gives at most 100."""
    limit = min(int(request.query_params.get("limit", 25)), _MOST)
    offset = int(request.query_params.get("offset", 0))
    rest = len(found) > offset + limit
    part = {name: found[offset : offset + limit], "limit": limit, "offset": offset, "more": rest}
    return JSONResponse({**part, "total": None})


async def _create(account: PagerDutyAccount, request: Request) -> Response:
    wanted = (await _json(request)).get("incident") or {}
    if not wanted.get("title"):
        return _error(HTTPStatus.BAD_REQUEST, 2001, "Invalid Input Provided", "Title is required.")
    if (wanted.get("service") or {}).get("id") != SERVICE:
        return _error(HTTPStatus.BAD_REQUEST, 2002, "Arguments Caused Error", "Service not found")
    key = wanted.get("incident_key") or secrets.token_hex(16)
    if account.open(key):
        said = "Open incident already exists on this service"
        return _error(HTTPStatus.BAD_REQUEST, 2002, "Arguments Caused Error", said)
    created = account.create(
        title=wanted["title"],
        key=key,
        urgency=wanted.get("urgency", "high"),
        body=wanted.get("body"),
    )
    return JSONResponse({"incident": created}, status_code=HTTPStatus.CREATED)


async def _incident(account: PagerDutyAccount, request: Request) -> Response:
    found = account.incidents.get(request.path_params["id"])
    if found is None:
        return _error(HTTPStatus.NOT_FOUND, 2100, "Not Found")
    if request.method == "PUT":
        status = ((await _json(request)).get("incident") or {}).get("status")
        if status not in {"acknowledged", "resolved"}:
            said = "Status must be acknowledged or resolved."
            return _error(HTTPStatus.BAD_REQUEST, 2001, "Invalid Input Provided", said)
        if found["status"] == "resolved":
            said = "Incident Already Resolved"
            return _error(HTTPStatus.BAD_REQUEST, 2001, "Invalid Input Provided", said)
        found["status"] = status
    return JSONResponse({"incident": found})


async def _notes(account: PagerDutyAccount, request: Request) -> Response:
    incident = request.path_params["id"]
    if incident not in account.incidents:
        return _error(HTTPStatus.NOT_FOUND, 2100, "Not Found")
    notes = account.notes.setdefault(incident, [])
    if request.method == "GET":
        return JSONResponse({"notes": notes})
    content = ((await _json(request)).get("note") or {}).get("content")
    if not content:
        said = "Content cannot be empty."
        return _error(HTTPStatus.BAD_REQUEST, 2001, "Invalid Input Provided", said)
    note = {"id": f"N{secrets.token_hex(6).upper()}", "content": content}
    notes.append(note)
    return JSONResponse({"note": note}, status_code=HTTPStatus.CREATED)


async def _on_calls(_account: PagerDutyAccount, _request: Request) -> Response:
    on_calls = [
        {
            "escalation_level": level,
            "user": {"id": f"PUSER0{level}", "type": "user_reference", "summary": name},
            "escalation_policy": {"id": "PPOLCY1", "type": "escalation_policy_reference"},
            "start": None,
            "end": None,
        }
        for level, name in enumerate(_ON_CALL, start=1)
    ]
    return JSONResponse({"oncalls": on_calls, "limit": 25, "offset": 0, "more": False})


async def _json(request: Request) -> dict[str, Any]:
    try:
        found = await request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _invalid(reason: str) -> Response:
    answer = {"status": "invalid event", "message": "Event object is invalid", "errors": [reason]}
    return JSONResponse(answer, status_code=HTTPStatus.BAD_REQUEST)


def _error(status: HTTPStatus, code: int, message: str, *errors: str) -> Response:
    error = {"message": message, "code": code, **({"errors": list(errors)} if errors else {})}
    return JSONResponse({"error": error}, status_code=status)


EMULATOR = Emulator(
    name="pagerduty",
    make=lambda access: pagerduty_app(token=access.secret("pagerduty.token"), lab=access.folder),
    settings={"token_format": "Token token={token}", "service": SERVICE, "from": FROM},
)
