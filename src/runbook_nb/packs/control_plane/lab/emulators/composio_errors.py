"""How Composio answers: its error object, its pages of items, and its rate limit."""

import secrets
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

# The plan of a small team: so many requests in a fixed minute, for the whole organisation.
LIMIT = 2_000
WINDOW_S = 60
_LARGEST_PAGE = 100
_PAGE = 20


def error(
    code: HTTPStatus, message: str, *, fix: str, number: int | None = None, slug: str = ""
) -> Response:
    """Return the error object; ``number`` and ``slug`` are Composio's own where it has one."""
    about: dict[str, object] = {
        "message": message,
        "status": int(code),
        "request_id": str(uuid4()),
        "suggested_fix": fix,
    }
    if number is not None:
        about |= {"code": number, "slug": slug}
    return JSONResponse({"error": about}, status_code=code)


def successful(answer: Mapping[str, object]) -> Response:
    """Return what a tool gave."""
    return JSONResponse(
        {
            "data": dict(answer),
            "error": None,
            "successful": True,
            "log_id": f"log_{secrets.token_urlsafe(9)}",
        }
    )


def unsuccessful(message: str, answer: Mapping[str, object]) -> Response:
    """Return what a tool gave that did not work: HTTP 200 all the same, as Composio answers it."""
    return JSONResponse(
        {
            "data": dict(answer),
            "error": message,
            "successful": False,
            "log_id": f"log_{secrets.token_urlsafe(9)}",
        }
    )


def page(request: Request, items: Sequence[Mapping[str, Any]]) -> Response:
    """Return one page of items; the cursor is the place of the next one."""
    try:
        size = min(int(float(request.query_params.get("limit") or _PAGE)), _LARGEST_PAGE)
        start = int(request.query_params.get("cursor") or 0)
    except ValueError:
        return error(
            HTTPStatus.BAD_REQUEST,
            "limit and cursor must be what an earlier page gave.",
            fix="Leave the cursor out to begin again.",
            number=601,
            slug="Validation_Error",
        )
    size = max(size, 1)
    end = start + size
    return JSONResponse(
        {
            "items": list(items[start:end]),
            "next_cursor": str(end) if end < len(items) else None,
            "total_items": len(items),
            "total_pages": -(-len(items) // size),
            "current_page": start // size + 1,
        }
    )


class RateLimit:
    """A fixed window of one minute."""

    def __init__(self) -> None:
        self.limit = LIMIT
        self.others, self.bare = 0, False
        self._window, self._count = 0, 0

    def change(self, body: Mapping[str, Any]) -> None:
        """Take over another limit, and what ``others`` of the organisation use of every minute.

        ``bare`` refusals come from a proxy that says nothing but the status.
        """
        self.limit = body.get("limit", self.limit)
        self.bare = body.get("bare", self.bare)
        self.others = body.get("others", self.others)
        self._count = max(self._count, self.others)

    def take(self) -> Response | None:
        """Count a request; return the refusal when the minute has had its share."""
        window = int(time.time() // WINDOW_S)
        if window != self._window:
            self._window, self._count = window, self.others
        self._count += 1
        if self._count <= self.limit:
            return None
        if self.bare:
            return Response(status_code=HTTPStatus.TOO_MANY_REQUESTS)
        said = f"Rate limit exceeded. Limit: {self.limit} requests per 1 minutes"
        wait_s = WINDOW_S - int(time.time()) % WINDOW_S
        # Not the error object: this answer comes from in front of the API.
        return JSONResponse(
            {"message": said},
            status_code=HTTPStatus.TOO_MANY_REQUESTS,
            headers={"retry-after": str(wait_s)},
        )

    def headers(self) -> dict[str, str]:
        """Return the headers that every answer of the API carries; a proxy knows none."""
        if self.bare and self._count > self.limit:
            return {}
        return {
            "x-ratelimit": str(self.limit),
            "x-ratelimit-remaining": str(max(self.limit - self._count, 0)),
            "x-ratelimit-window-size": f"{WINDOW_S}s",
        }
