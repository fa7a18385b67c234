"""The app secrets of Fly's Machines API: named and digested, never shown."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# The secrets of a healthy app: rotated this quarter.
_FIRST_AGE = timedelta(days=40)


def secret_routes(
    root: str, secrets: dict[str, str], authorise: Callable[[Request], None]
) -> list[Route]:
    """Make the routes that list and set ``secrets``; a machine has a new one once it restarts."""
    began = datetime.now(UTC) - _FIRST_AGE
    set_at: dict[str, datetime] = {}

    def shown(name: str) -> dict[str, str]:
        digest = hashlib.sha256(secrets[name].encode()).hexdigest()[:16]
        at = {"created_at": began.isoformat(), "updated_at": set_at.get(name, began).isoformat()}
        return {"name": name, "digest": digest, **at}

    async def show(request: Request) -> Response:
        authorise(request)
        return JSONResponse({"secrets": [shown(name) for name in sorted(secrets)]})

    async def update(request: Request) -> Response:
        authorise(request)
        try:
            values = json.loads(await request.body())["values"]
            secrets.update({str(name): str(value) for name, value in values.items()})
            set_at.update(dict.fromkeys(map(str, values), datetime.now(UTC)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "values is required") from error
        return JSONResponse({"secrets": [shown(name) for name in values]})

    return [Route(root, show), Route(root, update, methods=["POST"])]
