"""The part of Caddy's admin API that reads and changes the edge's configuration."""

import hashlib
import json
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.edge_config import ConfigError, EdgeConfig

_WRITING = ("POST", "PUT", "PATCH", "DELETE")


def admin_app(config: EdgeConfig) -> Starlette:
    """Make the admin API: /config/<path>, /id/<id>/<path> and /load."""

    async def at_path(request: Request) -> Response:
        return await _serve(request, config, _parts(request))

    async def at_id(request: Request) -> Response:
        identifier, *rest = _parts(request)
        return await _serve(request, config, [*config.path_of(identifier), *rest])

    async def load(request: Request) -> Response:
        config.replace(_json(await request.body()))
        return Response()

    return Starlette(
        routes=[
            Route("/config/{path:path}", at_path, methods=["GET", *_WRITING]),
            Route("/id/{path:path}", at_id, methods=["GET", *_WRITING]),
            Route("/load", load, methods=["POST"]),
        ],
        exception_handlers={ConfigError: _as_error, HTTPException: _as_error},
    )


async def _serve(request: Request, config: EdgeConfig, path: list[str]) -> Response:
    if request.method in {"GET", "HEAD"}:
        found = config.read(path)
        return JSONResponse(found, headers={"etag": _etag(path, found)})
    expected = request.headers.get("if-match")
    if expected is not None and not _is_current(expected, config):
        raise ConfigError(HTTPStatus.PRECONDITION_FAILED, "If-Match header did not match")
    body = await request.body()
    config.change(request.method, path, _json(body) if body else None)
    return Response()


def _parts(request: Request) -> list[str]:
    return [part for part in request.path_params["path"].split("/") if part]


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise ConfigError(HTTPStatus.BAD_REQUEST, f"decoding request body: {error}") from None


def _etag(path: list[str], value: object) -> str:
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    return f'"/config/{"/".join(path)} {digest[:8]}"'


def _is_current(etag: str, config: EdgeConfig) -> bool:
    """Tell whether what stands at the path in an Etag is still what it was."""
    named = etag.strip('"').rpartition(" ")[0].removeprefix("/config/")
    path = [part for part in named.split("/") if part]
    return etag == _etag(path, config.read(path))


async def _as_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, ConfigError):
        return JSONResponse({"error": str(error)}, status_code=error.code)
    if isinstance(error, HTTPException):
        return JSONResponse({"error": error.detail}, status_code=error.status_code)
    raise error
