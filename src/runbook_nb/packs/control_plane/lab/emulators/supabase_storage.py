"""An emulator for Supabase Storage: buckets, objects, copies and signed addresses.

As the service does, it answers HTTP 400 for what is missing and says 404 in the body. The objects
are in memory; those of the seeded artifacts are there from the start.
"""

import secrets
from http import HTTPStatus

import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from runbook_nb.packs.control_plane.lab.emulators.emulator import Access, Emulator
from runbook_nb.packs.control_plane.lab.emulators.supabase_bodies import (
    StorageError,
    accept,
    json_of,
    uploaded,
)
from runbook_nb.packs.control_plane.lab.emulators.supabase_buckets import BucketRoutes
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import (
    EVIDENCE,
    VERSIONS,
    WITHHELD,
    Buckets,
    Kept,
)

# How the lab changes bytes beneath the service; nothing of the platform does.
ROT = "/__lab__/bytes"
_LISTED = 100


class Storage:
    """The API over the buckets; ``key`` is the service key that opens it."""

    def __init__(self, buckets: Buckets, *, key: str) -> None:
        self._buckets, self._key = buckets, key
        self._signed: dict[str, tuple[str, str]] = {}

    async def list_folder(self, request: Request) -> Response:
        """List a folder of a bucket, a page at a time."""
        bucket, asked = request.path_params["bucket"], await json_of(request)
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
        sent = uploaded(await request.body(), request.headers.get("content-type", ""))
        self._buckets.put(bucket, name, accept(sent, self._buckets.rules[bucket]))
        return JSONResponse({"Id": objects[name].id, "Key": f"{bucket}/{name}"})

    async def copy(self, request: Request) -> Response:
        """Copy an object within a bucket or to another."""
        asked = await json_of(request)
        bucket = str(asked.get("bucketId"))
        to_bucket = str(asked.get("destinationBucket") or bucket)
        source, to = str(asked.get("sourceKey")), str(asked.get("destinationKey"))
        if source not in self._objects(bucket):
            raise StorageError(404, "not_found", "Object not found")
        there = self._objects(to_bucket)
        if to in there and request.headers.get("x-upsert", "").lower() != "true":
            raise StorageError(409, "Duplicate", "The resource already exists")
        found = self._objects(bucket)[source]
        self._buckets.put(to_bucket, to, Kept(content=found.content, mimetype=found.mimetype))
        return JSONResponse({"Id": there[to].id, "Key": f"{to_bucket}/{to}"})

    async def delete(self, request: Request) -> Response:
        """Delete one object, or those whose names the body lists."""
        bucket = request.path_params["bucket"]
        objects = self._objects(bucket)
        if "name" in request.path_params:
            self._kept(request)
            self._buckets.remove(bucket, request.path_params["name"])
            return JSONResponse({"message": "Successfully deleted"})
        named = [name for name in (await json_of(request)).get("prefixes", ()) if name in objects]
        gone = [(name, self._buckets.remove(bucket, name)) for name in named]
        return JSONResponse(
            [{"bucket_id": bucket, "name": name, "id": kept.id} for name, kept in gone]
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

    async def read_public(self, request: Request) -> Response:
        """Give an object of a public bucket to anybody; of another, say that there is none."""
        rules = self._buckets.rules.get(request.path_params["bucket"])
        if rules is None or not rules.public:
            raise StorageError(404, "Bucket not found", "Bucket not found")
        return await self.read(request)

    async def rot(self, request: Request) -> Response:
        """Change or lose the bytes of an object beneath the service: the lab's own door."""
        asked = await json_of(request)
        content = asked["content"]
        sent = None if content is None else str(content).encode("latin-1")
        self._buckets.rot(str(asked["bucket"]), str(asked["name"]), sent)
        return JSONResponse({})

    def guard(self, request: Request) -> None:
        """Refuse a request without the key; an apikey header, if sent, must be the key too."""
        free = ("/object/sign/", "/object/public/")
        if request.method in ("GET", "HEAD") and any(part in request.url.path for part in free):
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


def storage_app(storage: Storage, buckets: BucketRoutes) -> ASGIApp:
    """Make the emulator's app."""
    one = "/{bucket}/{name:path}"
    routes = [
        *buckets.routes(),
        Route("/object/list/{bucket}", storage.list_folder, methods=["POST"]),
        Route("/object/copy", storage.copy, methods=["POST"]),
        Route(f"/object/sign{one}", storage.sign, methods=["POST"]),
        Route(f"/object/sign{one}", storage.read_signed, methods=["GET"]),
        Route(f"/object/public{one}", storage.read_public, methods=["GET", "HEAD"]),
        Route(f"/object/info{one}", storage.inform),
        Route(f"/object/authenticated{one}", storage.read),
        Route(f"/object{one}", storage.read, methods=["GET", "HEAD"]),
        Route(f"/object{one}", storage.write, methods=["POST", "PUT"]),
        Route(f"/object{one}", storage.delete, methods=["DELETE"]),
        Route("/object/{bucket}", storage.delete, methods=["DELETE"]),
    ]
    api = Starlette(
        routes=[
            *(
                Route(f"/storage/v1{each.path}", each.endpoint, methods=sorted(each.methods or ()))
                for each in routes
            ),
            Route(ROT, storage.rot, methods=["POST"]),
        ],
        exception_handlers={StorageError: _refused, psycopg.Error: _away},
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


async def _away(_request: Request, _error: Exception) -> Response:
    said = "The connection to the database timed out"
    body = StorageError(544, "DatabaseTimeout", said).body
    return JSONResponse(body, HTTPStatus.INTERNAL_SERVER_ERROR)


def _make(access: Access) -> ASGIApp:
    buckets = Buckets(access.secret("postgres.dsn"))
    buckets.fill()
    storage = Storage(buckets, key=access.secret("supabase_storage.token"))
    return storage_app(storage, BucketRoutes(buckets))


EMULATOR = Emulator(
    name="supabase_storage",
    make=_make,
    settings={"bucket": EVIDENCE, "versions_bucket": VERSIONS, "withheld_bucket": WITHHELD},
)
