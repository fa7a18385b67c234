"""What the Storage API is sent and what it refuses: JSON bodies, forms, and errors in its words."""

import json
from email import message_from_bytes
from typing import Any

from starlette.requests import Request

from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import BucketRules, Kept


class StorageError(Exception):
    """What the API refuses, with the code that it says in the body."""

    def __init__(self, code: int, error: str, message: str) -> None:
        super().__init__(message)
        self.body = {"statusCode": str(code), "error": error, "message": message}


async def json_of(request: Request) -> dict[str, Any]:
    """Return the object that a request brings."""
    try:
        asked = json.loads(await request.body() or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise StorageError(400, "invalid_json", "body must be object")
    return asked


def uploaded(body: bytes, content_type: str) -> Kept:
    """Take the bytes as they are, or out of a form, which the vendor's clients send."""
    if not content_type.startswith("multipart/form-data"):
        return Kept(content=body, mimetype=content_type or "application/octet-stream")
    form = message_from_bytes(f"content-type: {content_type}\r\n\r\n".encode() + body)
    for part in form.walk():
        content = part.get_payload(decode=True)
        if part.get_filename() is not None and isinstance(content, bytes):
            return Kept(content=content, mimetype=part.get_content_type())
    raise StorageError(400, "invalid_request", "the form has no file")


def accept(kept: Kept, rules: BucketRules) -> Kept:
    """Return an upload that its bucket takes; raise what the service says of another."""
    if rules.file_size_limit is not None and len(kept.content) > rules.file_size_limit:
        said = "The object exceeded the maximum allowed size"
        raise StorageError(413, "Payload too large", said)
    if rules.allowed_mime_types and kept.mimetype not in rules.allowed_mime_types:
        said = f"mime type {kept.mimetype} is not supported"
        raise StorageError(415, "invalid_mime_type", said)
    return kept
