"""An emulator for Supabase Storage: buckets, objects, copies and signed addresses.

As the service does, it answers HTTP 400 for what is missing and says 404 in the body. The objects
are in memory; those of the seeded artifacts are there from the start.
"""

import json
import secrets
from email import message_from_bytes
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runbook_nb.packs.control_plane.lab.emulators.emulator import Access, Emulator
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import (
    EVIDENCE,
    VERSIONS,
    Buckets,
    Kept,
)

_LISTED = 100


class StorageError(Exception):
    """What the API refuses, with the code that it says in the body."""

    def __init__(self, code: int, error: str, message: str) -> None:
        super().__init__(message)
        self.body = {"statusCode": str(code), "error": error, "message": message}


class Storage:
    """The API over the buckets; ``key`` is the service key that opens it."""

    def __init__(self, buckets: Buckets, *, key: str) -> None:
        self._buckets, self._key = buckets, key
        self._signed: dict[str, tuple[str, str]] = {}

    async def buckets(self, request: Request) -> Response:
        """List all buckets, or show one."""
        name = request.path_params.get("bucket")
        if name is None:
            return JSONResponse([self._buckets.bucket(each) for each in self._buckets.by_name])
        self._objects(name)
        return JSONResponse(self._buckets.bucket(name))

    async def list_folder(self, request: Request) -> Response:
        """List a folder of a bucket, a page at a time."""
        bucket, asked = request.path_params["bucket"], await _json(request)
        self._objects(bucket)
        found = list(self._buckets.listed(bucket, prefix=str(asked.get("prefix", ""))))
        if (asked.get("sortBy") or {}).get("order") == "desc":
            found.reverse()
        begin = int(asked.get("offset", 0))
        return JSONResponse(found[begin : begin + int(asked.get("limit", _LISTED))])

    async def read(self, request: Request) -> Response:
        """Give an object's bytes; to HEAD its size alone."""
        kept = self._kept(request)
        headers = {"etag": kept.metadata()["eTag"], "cache-control": "max-age=3600"}
        return Response(kept.content, media_type=kept.mimetype, headers=headers)

    async def inform(self, request: Request) -> Response:
        """Tell an object's size and media type."""
        kept = self._kept(request)
        shown = {"id": kept.id, "name": request.path_params["name"], "size": len(kept.content)}
        return JSONResponse(
            {**shown, "content_type": kept.mimetype, "created_at": kept.created_at.isoformat()}
        )

    async def write(self, request: Request) -> Response:
        """Keep an object; POST refuses one that is there unless x-upsert says otherwise."""
        bucket, name = request.path_params["bucket"], request.path_params["name"]
        objects = self._objects(bucket)
        upsert = request.headers.get("x-upsert", "").lower() == "true"
        if request.method == "POST" and name in objects and not upsert:
            raise StorageError(409, "Duplicate", "The resource already exists")
        if request.method == "PUT" and name not in objects:
            raise StorageError(404, "not_found", "Object not found")
        objects[name] = _uploaded(await request.body(), request.headers.get("content-type", ""))
        return JSONResponse({"Id": objects[name].id, "Key": f"{bucket}/{name}"})

    async def copy(self, request: Request) -> Response:
        """Copy an object within a bucket or to another."""
        asked = await _json(request)
        bucket = str(asked.get("bucketId"))
        to_bucket = str(asked.get("destinationBucket") or bucket)
        source, to = str(asked.get("sourceKey")), str(asked.get("destinationKey"))
        if source not in self._objects(bucket):
            raise StorageError(404, "not_found", "Object not found")
        there = self._objects(to_bucket)
        if to in there and request.headers.get("x-upsert", "").lower() != "true":
            raise StorageError(409, "Duplicate", "The resource already exists")
        found = self._objects(bucket)[source]
        there[to] = Kept(content=found.content, mimetype=found.mimetype)
        return JSONResponse({"Id": there[to].id, "Key": f"{to_bucket}/{to}"})

    async def delete(self, request: Request) -> Response:
        """Delete one object, or those whose names the body lists."""
        bucket = request.path_params["bucket"]
        objects = self._objects(bucket)
        if "name" in request.path_params:
            self._kept(request)
            del objects[request.path_params["name"]]
            return JSONResponse({"message": "Successfully deleted"})
        named = [name for name in (await _json(request)).get("prefixes", ()) if name in objects]
        return JSONResponse(
            [{"bucket_id": bucket, "name": name, "id": objects.pop(name).id} for name in named]
        )

    async def sign(self, request: Request) -> Response:
        """Make an address that opens one object without a key."""
        self._kept(request)
        bucket, name = request.path_params["bucket"], request.path_params["name"]
        token = secrets.token_urlsafe(24)
        self._signed[token] = (bucket, name)
        return JSONResponse({"signedURL": f"/object/sign/{bucket}/{name}?token={token}"})

    async def read_signed(self, request: Request) -> Response:
        """Give the object of a signed address."""
        asked = (request.path_params["bucket"], request.path_params["name"])
        if self._signed.get(request.query_params.get("token", "")) != asked:
            raise StorageError(400, "InvalidJWT", "jwt malformed")
        return await self.read(request)

    def guard(self, request: Request) -> None:
        """Refuse a request without the key; an apikey header, if sent, must be the key too."""
        if "/object/sign/" in request.url.path and request.method == "GET":
            return
        sent = request.headers.get("authorization")
        if sent is None:
            said = "headers must have required property 'authorization'"
            raise StorageError(400, "Error", said)
        key = request.headers.get("apikey", self._key)
        wanted = f"Bearer {self._key} {self._key}"
        if not secrets.compare_digest(f"{sent} {key}".encode(), wanted.encode()):
            raise StorageError(403, "Unauthorized", "Invalid Compact JWS")

    def _objects(self, bucket: str) -> dict[str, Kept]:
        if bucket not in self._buckets.by_name:
            raise StorageError(404, "Bucket not found", "Bucket not found")
        return self._buckets.by_name[bucket]

    def _kept(self, request: Request) -> Kept:
        objects = self._objects(request.path_params["bucket"])
        if request.path_params["name"] not in objects:
            raise StorageError(404, "not_found", "Object not found")
        return objects[request.path_params["name"]]


def storage_app(storage: Storage) -> ASGIApp:
    """Make the emulator's app."""
    one = "/{bucket}/{name:path}"
    routes = [
        Route("/bucket", storage.buckets),
        Route("/bucket/{bucket}", storage.buckets),
        Route("/object/list/{bucket}", storage.list_folder, methods=["POST"]),
        Route("/object/copy", storage.copy, methods=["POST"]),
        Route(f"/object/sign{one}", storage.sign, methods=["POST"]),
        Route(f"/object/sign{one}", storage.read_signed, methods=["GET"]),
        Route(f"/object/info{one}", storage.inform),
        Route(f"/object/authenticated{one}", storage.read),
        Route(f"/object{one}", storage.read, methods=["GET", "HEAD"]),
        Route(f"/object{one}", storage.write, methods=["POST", "PUT"]),
        Route(f"/object{one}", storage.delete, methods=["DELETE"]),
        Route("/object/{bucket}", storage.delete, methods=["DELETE"]),
    ]
    api = Starlette(
        routes=[
            Route(f"/storage/v1{route.path}", route.endpoint, methods=sorted(route.methods or ()))
            for route in routes
        ],
        exception_handlers={StorageError: _refused},
    )

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                storage.guard(Request(scope))
            except StorageError as error:
                await JSONResponse(error.body, HTTPStatus.BAD_REQUEST)(scope, receive, send)
                return
        await api(scope, receive, send)

    return guarded


async def _refused(_request: Request, error: Exception) -> Response:
    body = error.body if isinstance(error, StorageError) else {}
    return JSONResponse(body, HTTPStatus.BAD_REQUEST)


async def _json(request: Request) -> dict[str, Any]:
    try:
        asked = json.loads(await request.body() or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise StorageError(400, "invalid_json", "body must be object")
    return asked


def _uploaded(body: bytes, content_type: str) -> Kept:
    """Take the bytes as they are, or out of a form, which the vendor's clients send."""
    if not content_type.startswith("multipart/form-data"):
        return Kept(content=body, mimetype=content_type or "application/octet-stream")
    form = message_from_bytes(f"content-type: {content_type}\r\n\r\n".encode() + body)
    for part in form.walk():
        content = part.get_payload(decode=True)
        if part.get_filename() is not None and isinstance(content, bytes):
            return Kept(content=content, mimetype=part.get_content_type())
    raise StorageError(400, "invalid_request", "the form has no file")


def _make(access: Access) -> ASGIApp:
    buckets = Buckets()
    buckets.fill(access.secret("postgres.dsn"))
    return storage_app(Storage(buckets, key=access.secret("supabase_storage.token")))


EMULATOR = Emulator(
    name="supabase_storage",
    make=_make,
    settings={"bucket": EVIDENCE, "versions_bucket": VERSIONS},
)
