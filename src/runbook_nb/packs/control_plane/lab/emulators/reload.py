"""How Prometheus and Alertmanager are told to read their files anew."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def reload_route(load: Callable[[], None]) -> Route:
    """Make the route that has files read anew; a ValueError of ``load`` is what it answers."""

    async def reload(_request: Request) -> Response:
        try:
            load()
        except ValueError as error:
            said = f"failed to reload config: {error}"
            return PlainTextResponse(said, status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
        return PlainTextResponse("")

    return Route("/-/reload", reload, methods=["POST"])
