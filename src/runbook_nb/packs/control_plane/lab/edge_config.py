"""The edge's configuration in Caddy's JSON: read and changed by path, never left broken."""

import copy
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

_MATCHERS = frozenset({"path", "query"})
_HANDLERS = frozenset({"reverse_proxy", "static_response"})


def default_config(*, listen: int, upstream: int) -> dict[str, Any]:
    """Return the configuration the edge starts with: every request goes to ``upstream``.

    Streams are passed on at once: `flush_interval` is -1 and nothing is buffered.
    """
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"127.0.0.1:{upstream}"}],
        "flush_interval": -1,
    }
    server = {"listen": [f":{listen}"], "routes": [{"handle": [proxy]}]}
    return {"apps": {"http": {"servers": {"srv0": server}}}}


class ConfigError(Exception):
    """A change of the configuration was refused; ``code`` is the HTTP status that says so."""

    def __init__(self, code: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class EdgeConfig:
    """A JSON document that is read and changed by path, and is always one the edge can serve."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    @property
    def routes(self) -> list[dict[str, Any]]:
        """The routes of all servers, in order."""
        servers = self._document.get("apps", {}).get("http", {}).get("servers", {})
        return [route for server in servers.values() for route in server.get("routes", [])]

    def read(self, path: list[str]) -> object:
        """Return what stands at a path; an object has null where it has no such key."""
        holder, key = _holder({"": self._document}, ["", *path])
        if isinstance(holder, dict):
            return holder.get(key)
        return holder[_index(holder, key)]

    def path_of(self, wanted: str) -> list[str]:
        """Return the path of the object whose `@id` is ``wanted``; ConfigError if none has it."""
        for path, identifier in _identifiers(self._document, []):
            if str(identifier) == wanted:
                return path
        raise ConfigError(HTTPStatus.NOT_FOUND, f"unknown object ID '{wanted}'")

    def replace(self, document: object) -> None:
        """Replace the whole configuration."""
        self.change("POST", [], document)

    def change(self, method: str, path: list[str], value: object) -> None:
        """Change what stands at a path as Caddy's method of that name does, or leave all as is.

        POST sets, or appends to an array; PUT creates, or inserts into an array; PATCH replaces;
        DELETE removes.
        """
        # A copy is changed and checked first, so that a bad change has no effect at all.
        root = {"": copy.deepcopy(self._document)}
        if method == "PUT":
            _make_way(root, ["", *path])
        holder, key = _holder(root, ["", *path])
        if isinstance(holder, dict):
            _change_key(method, holder, key, value)
        else:
            _change_element(method, holder, key, value)
        document = root.get("") or {}
        _check(document)
        self._document = document


def _identifiers(value: object, path: list[str]) -> Iterator[tuple[list[str], object]]:
    if isinstance(value, dict):
        if "@id" in value:
            yield path, value["@id"]
        for key, inner in value.items():
            yield from _identifiers(inner, [*path, key])
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _identifiers(inner, [*path, str(index)])


def _holder(root: dict[str, Any], path: list[str]) -> tuple[Any, str]:
    """Walk to the object or array that holds the last part of a path."""
    place: Any = root
    for part in path[:-1]:
        if isinstance(place, dict):
            place = place.get(part)
        elif isinstance(place, list):
            place = place[_index(place, part)]
        else:
            break
    if not isinstance(place, dict | list):
        raise ConfigError(
            HTTPStatus.BAD_REQUEST, f"invalid traversal path at: {'/'.join(path[1:])}"
        )
    return place, path[-1]


def _make_way(root: dict[str, Any], path: list[str]) -> None:
    """Make the objects that a PUT to a deep path goes through."""
    place: Any = root
    for part in path[:-1]:
        if isinstance(place, dict):
            if place.get(part) is None:
                place[part] = {}
            place = place[part]
        elif isinstance(place, list):
            place = place[_index(place, part)]


def _index(array: list[Any], part: str) -> int:
    if not part.isdigit():
        raise ConfigError(HTTPStatus.BAD_REQUEST, f"invalid array index '{part}'")
    if int(part) >= len(array):
        raise ConfigError(HTTPStatus.BAD_REQUEST, f"array index out of bounds: {part}")
    return int(part)


def _change_key(method: str, holder: dict[str, Any], key: str, value: object) -> None:
    if method == "PUT" and key in holder:
        raise ConfigError(HTTPStatus.CONFLICT, f"key already exists: {key}")
    if method in {"PATCH", "DELETE"} and key not in holder:
        raise ConfigError(HTTPStatus.NOT_FOUND, f"key does not exist: {key}")
    if method == "DELETE":
        del holder[key]
    elif method == "POST" and isinstance(holder.get(key), list):
        holder[key].append(value)
    else:
        holder[key] = value


def _change_element(method: str, holder: list[Any], key: str, value: object) -> None:
    if method == "POST" and key == "...":
        if not isinstance(value, list):
            raise ConfigError(HTTPStatus.BAD_REQUEST, "final element is not an array")
        holder.extend(value)
        return
    index = _index(holder, key)
    if method == "DELETE":
        del holder[index]
    elif method == "PUT":
        holder.insert(index, value)
    else:
        holder[index] = value


def _check(document: object) -> None:
    """Refuse a configuration that the edge cannot serve; ConfigError names what is wrong."""
    try:
        for route in EdgeConfig(document).routes:  # type: ignore[arg-type]  # checked by use
            _check_route(route)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        reason = f"loading new config: {type(error).__name__}: {error}"
        raise ConfigError(HTTPStatus.BAD_REQUEST, reason) from None


def _check_route(route: dict[str, Any]) -> None:
    for matchers in route.get("match", []):
        if unknown := set(matchers) - _MATCHERS:
            raise ValueError(f"unknown matcher {min(unknown)}")
        _ = [list(paths) for paths in matchers.get("path", [])]
        _ = [list(values) for values in matchers.get("query", {}).values()]
    for handler in route["handle"]:
        if handler["handler"] not in _HANDLERS:
            raise ValueError(f"unknown handler {handler['handler']}")
        if handler["handler"] == "reverse_proxy":
            _, _, port = handler["upstreams"][0]["dial"].rpartition(":")
            _ = int(port), int(handler.get("response_buffers", 0))
        else:
            _ = int(handler.get("status_code", HTTPStatus.OK)), dict(handler.get("headers", {}))
