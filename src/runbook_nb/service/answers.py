"""What the web server's routes share: a body that is not too large, and an answer in a sentence."""

from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response


async def body_of(request: Request, *, limit: int) -> bytes | None:
    """Return the raw body; None for one of more bytes, which is not read to its end."""
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                return None
            parts.append(part)
    except ClientDisconnect:
        return None
    return b"".join(parts)


def said(status: HTTPStatus, words: str) -> Response:
    """Answer with a status and a sentence."""
    return JSONResponse({"said": words}, status_code=status)


def too_large(limit: int) -> Response:
    """Answer to a body that ``body_of`` did not read."""
    return said(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {limit:,} bytes.")
