"""The app secrets of Fly's Machines API: named and digested, never shown."""

import hashlib
import json
from collections.abc import Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def secret_routes(
    root: str, secrets: dict[str, str], authorise: Callable[[Request], None]
) -> list[Route]:
    """Make the routes that list and set ``secrets``; a machine has a new one once it restarts."""

    async def show(request: Request) -> Response:
        authorise(request)
        return JSONResponse({"secrets": [_shown(name, secrets[name]) for name in sorted(secrets)]})

    async def update(request: Request) -> Response:
        authorise(request)
        try:
            values = json.loads(await request.body())["values"]
            secrets.update({str(name): str(value) for name, value in values.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "values is required") from error
        return JSONResponse({"secrets": [_shown(name, secrets[name]) for name in values]})

    return [Route(root, show), Route(root, update, methods=["POST"])]


def _shown(name: str, value: str) -> dict[str, str]:
    return {"name": name, "digest": hashlib.sha256(value.encode()).hexdigest()[:16]}
