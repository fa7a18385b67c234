"""The buckets of the Storage emulator: listed, made, and given other rules."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.supabase_bodies import StorageError, json_of
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import BucketRules, Buckets


class BucketRoutes:
    """The API's calls on buckets."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def routes(self) -> list[Route]:
        """Return the routes, without the API's root."""
        return [
            Route("/bucket", self.show, methods=["GET"]),
            Route("/bucket", self.make, methods=["POST"]),
            Route("/bucket/{bucket}", self.show, methods=["GET"]),
            Route("/bucket/{bucket}", self.change, methods=["PUT"]),
            Route("/bucket/{bucket}", self.delete, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        """List all buckets, or show one."""
        name = request.path_params.get("bucket")
        if name is None:
            return JSONResponse([self._buckets.bucket(each) for each in self._buckets.by_name])
        return JSONResponse(self._buckets.bucket(self._named(request)))

    async def make(self, request: Request) -> Response:
        """Make a bucket; one that is there is refused."""
        asked = await json_of(request)
        name = str(asked.get("id") or asked.get("name") or "")
        if not name:
            raise StorageError(400, "Error", "body must have required property 'name'")
        if name in self._buckets.by_name:
            raise StorageError(409, "Duplicate", "The resource already exists")
        self._buckets.make(name, _rules(asked, BucketRules()))
        return JSONResponse({"name": name})

    async def change(self, request: Request) -> Response:
        """Give a bucket the rules that the body names; the others stay."""
        name = self._named(request)
        self._buckets.make(name, _rules(await json_of(request), self._buckets.rules[name]))
        return JSONResponse({"message": "Successfully updated"})

    async def delete(self, request: Request) -> Response:
        """Delete an empty bucket."""
        name = self._named(request)
        if self._buckets.by_name[name]:
            raise StorageError(409, "InvalidRequest", "The bucket you tried to delete is not empty")
        self._buckets.unmake(name)
        return JSONResponse({"message": "Successfully deleted"})

    def _named(self, request: Request) -> str:
        name = str(request.path_params["bucket"])
        if name not in self._buckets.by_name:
            raise StorageError(404, "Bucket not found", "Bucket not found")
        return name


def _rules(asked: dict[str, object], before: BucketRules) -> BucketRules:
    known = vars(before)
    return BucketRules(**{name: asked.get(name, known[name]) for name in known})  # type: ignore[arg-type]
