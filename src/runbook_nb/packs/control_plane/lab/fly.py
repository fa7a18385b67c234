"""An emulator for Fly's Machines API: it starts, stops and restarts the agent's processes."""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.agent_machine import (
    Machine,
    MachineError,
    MachineState,
    Placement,
    lasting_port,
)
from runbook_nb.packs.control_plane.lab.emulators.gemini_models import USUAL
from runbook_nb.packs.control_plane.lab.fly_secrets import secret_routes
from runbook_nb.packs.control_plane.lab.release import LIVE, Versions, labelled

APP = "ai-employee-agent"
_LONGEST_WAIT_S = 60.0
_LONGEST_STOP_S = 300.0
_POLL_S = 0.02

Answer = Callable[[Request, Machine], Awaitable[Response]]


def release_config(ports: Mapping[str, int], *, interval_s: float) -> dict[str, Any]:
    """Return the configuration of a machine as a good release sets it."""
    return {
        **labelled(LIVE),
        "env": {
            "COMPOSIO_URL": f"http://127.0.0.1:{ports['composio']}",
            "GEMINI_URL": f"http://127.0.0.1:{ports['gemini']}",
            "GEMINI_MODEL": USUAL,
            "HEARTBEAT_SECONDS": f"{interval_s:g}",
        },
        "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 512},
        "restart": {"policy": "no"},
    }


class Fly:
    """The machines of one app, behind the API.

    ``secrets`` are the app's secrets: each machine has them in its environment, and the API never
    shows them. One machine listens on ``port``, each further one on a free port.
    """

    def __init__(
        self, *, folder: Path, token: str, app_secrets: Mapping[str, str], port: int
    ) -> None:
        self._folder = folder
        self._token = token
        self._secrets = dict(app_secrets)
        self._port = port
        self._machines: dict[str, Machine] = {}
        self._versions = Versions()
        machines = f"/v1/apps/{APP}/machines"
        one = machines + "/{machine}"
        self.app = Starlette(
            routes=[
                *secret_routes(f"/v1/apps/{APP}/secrets", self._secrets, self._authorise),
                Route(machines, self._list),
                Route(machines, self._create, methods=["POST"]),
                Route(one, self._of_machine(_show)),
                Route(one, self._of_machine(_update), methods=["POST"]),
                Route(one, self._of_machine(self._destroy), methods=["DELETE"]),
                Route(one + "/start", self._of_machine(_start), methods=["POST"]),
                Route(one + "/stop", self._of_machine(_stop), methods=["POST"]),
                Route(one + "/restart", self._of_machine(_restart), methods=["POST"]),
                Route(one + "/wait", self._of_machine(_wait)),
                Route(one + "/versions", self._of_machine(self._versions.show)),
            ],
            exception_handlers={HTTPException: _as_error},
        )

    async def create(self, config: Mapping[str, Any], *, name: str | None = None) -> Machine:
        """Make a machine and start it; MachineError when it does not come up."""
        placement = Placement(
            app=APP,
            folder=self._folder,
            secrets=self._secrets,
            port=lasting_port() if self._port_taken() else self._port,
        )
        machine = Machine(
            name=name or f"agent-{len(self._machines) + 1}", config=config, placement=placement
        )
        self._machines[machine.id] = machine
        await machine.start()
        return machine

    def kill_all(self) -> None:
        """Kill every machine's process at once."""
        for machine in self._machines.values():
            machine.kill()

    def _port_taken(self) -> bool:
        return any(machine.port == self._port for machine in self._machines.values())

    def _authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(
            token.encode(), self._token.encode()
        ):
            raise HTTPException(HTTPStatus.UNAUTHORIZED, "unauthorized")

    async def _list(self, request: Request) -> Response:
        self._authorise(request)
        return JSONResponse([machine.as_json() for machine in self._machines.values()])

    async def _create(self, request: Request) -> Response:
        self._authorise(request)
        body = await _body(request)
        try:
            machine = await self.create(_config(body), name=body.get("name"))
        except MachineError as error:
            raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from error
        return JSONResponse(machine.as_json())

    async def _destroy(self, request: Request, machine: Machine) -> Response:
        if machine.running and request.query_params.get("force") != "true":
            raise HTTPException(
                HTTPStatus.PRECONDITION_FAILED,
                f"failed_precondition: machine {machine.id} is {machine.state}; "
                "stop it, or destroy it with force=true",
            )
        await machine.destroy()
        self._machines.pop(machine.id, None)
        return _ok()

    def _of_machine(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Make a route of one machine: authorised, found, and failing as the API fails."""

        async def route(request: Request) -> Response:
            self._authorise(request)
            machine = self._machines.get(request.path_params["machine"])
            if machine is None:
                raise HTTPException(HTTPStatus.NOT_FOUND, "machine not found")
            self._versions.keep(machine)
            try:
                return await answer(request, machine)
            except MachineError as error:
                raise HTTPException(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from error

        return route


async def _show(_request: Request, machine: Machine) -> Response:
    return JSONResponse(machine.as_json())


async def _update(request: Request, machine: Machine) -> Response:
    await machine.update(_config(await _body(request)))
    return JSONResponse(machine.as_json())


async def _start(_request: Request, machine: Machine) -> Response:
    before = machine.state
    await machine.start()
    return JSONResponse({"previous_state": before})


async def _stop(request: Request, machine: Machine) -> Response:
    body = await _body(request)
    await machine.stop(**_patience(body.get("timeout")))
    return _ok()


async def _restart(request: Request, machine: Machine) -> Response:
    await machine.restart(**_patience(request.query_params.get("timeout")))
    return _ok()


async def _wait(request: Request, machine: Machine) -> Response:
    wanted = request.query_params.get("state", MachineState.STARTED)
    patience_s = _seconds(request.query_params.get("timeout") or _LONGEST_WAIT_S)
    deadline = time.monotonic() + min(patience_s, _LONGEST_WAIT_S)
    while machine.state != wanted:
        if time.monotonic() > deadline:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT,
                f"deadline_exceeded: machine failed to reach desired state, {wanted}, "
                f"currently {machine.state}",
            )
        await asyncio.sleep(_POLL_S)
    return _ok()


def _patience(timeout: object) -> dict[str, float]:
    """Return how long a process may take to end, if the request says so."""
    return {} if timeout is None else {"kill_after_s": min(_seconds(timeout), _LONGEST_STOP_S)}


def _seconds(text: object) -> float:
    """Read a duration: a number of seconds, or one with `s` or `ms` behind it."""
    words = str(text)
    try:
        if words.endswith("ms"):
            return float(words.removesuffix("ms")) / 1000
        return float(words.removesuffix("s"))
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, f"invalid duration {words!r}") from None


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "the body is not an object")
    return body


def _config(body: Mapping[str, Any]) -> Mapping[str, Any]:
    config = body.get("config")
    if not isinstance(config, dict):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "config is missing")
    environment = config.get("env", {})
    if not isinstance(environment, dict) or not all(
        isinstance(text, str) for text in environment.values()
    ):
        raise HTTPException(HTTPStatus.BAD_REQUEST, "config.env maps names to strings")
    return config


def _ok() -> Response:
    return JSONResponse({"ok": True})


async def _as_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code)
