"""Questions by GET to a named service; no redirect is followed.

A service that cannot be reached is *unknown*, also to ``status``: nobody has read anything. A path
begins with ``/`` and may hold a query string.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from runbook_nb.errors import NoAnswerError, ParameterError
from runbook_nb.packs.everyday.systems._fields import beginning, field, parse
from runbook_nb.probes.calls import Reading, Systems, probe

if TYPE_CHECKING:
    import httpx


@probe(unit="")
def status(systems: Systems, service: str, path: str = "/") -> Reading:
    """Return the status code of a GET, whatever it is; a redirect's own, with its target."""
    answer = _get(systems, service, path)
    return Reading(value=answer.status_code, detail=_described(answer))


@probe(unit="")
def json_value(
    systems: Systems,
    service: str,
    path: str,
    field_path: str,
    *,
    unit: str = "",
    accept: Sequence[int] = (200,),
) -> Reading:
    """Return a field of the JSON answer, such as ``data.items[0].state``, in ``unit``.

    ``accept`` names the status codes whose answer counts, such as 503 of a health page. Another
    code, no JSON, no such field, and null are unknown.
    """
    answer = _accepted(systems, service, path, accept)
    return Reading(value=field(_document(answer), field_path), detail=_described(answer))


@probe(unit="")
def json_count(
    systems: Systems,
    service: str,
    path: str,
    field_path: str = "",
    *,
    accept: Sequence[int] = (200,),
) -> Reading:
    """Return how many elements a list of the JSON answer has, or the answer if it is a list."""
    answer = _accepted(systems, service, path, accept)
    found = field(_document(answer), field_path)
    if not isinstance(found, list):
        message = f"The answer's {field_path or 'document'} is no list, so it has no count."
        raise NoAnswerError(message)
    return Reading(value=len(found), detail=_described(answer))


@probe(unit="")
def header(systems: Systems, service: str, path: str, name: str) -> Reading:
    """Return a header of the answer to a GET, empty where the answer has none of that name."""
    if name.lower() in {"set-cookie", "authorization"}:
        message = f"The header {name} opens a session; it belongs in no record."
        raise ParameterError(message)
    answer = _get(systems, service, path)
    present = name in answer.headers
    detail = {**_described(answer), "present": present}
    return Reading(value=answer.headers.get(name, ""), detail=detail)


@probe(unit="ms")
def latency_ms(systems: Systems, service: str, path: str = "/") -> Reading:
    """Return how long a GET took to its last byte, in milliseconds, connecting included.

    Only an answer below 400 counts: how fast an error comes says nothing.
    """
    started = time.perf_counter()
    answer = _get(systems, service, path)
    took_ms = (time.perf_counter() - started) * 1000
    if answer.is_error:
        message = f"{_said(answer)}; the time that an error takes says nothing."
        raise NoAnswerError(message)
    return Reading(value=round(took_ms, 1), detail=_described(answer))


def _get(systems: Systems, service: str, path: str) -> "httpx.Response":
    # A whole address would go to another host, with this service's token.
    if not path.startswith("/") or path.startswith("//"):
        message = f"{path!r} is no path of {service!r}; begin it with a single slash."
        raise ParameterError(message)
    return systems.http(service).get(path)


def _accepted(systems: Systems, service: str, path: str, accept: Sequence[int]) -> "httpx.Response":
    answer = _get(systems, service, path)
    if answer.status_code in accept:
        return answer
    wanted = " or ".join(map(str, accept))
    message = f"{_said(answer)}, not {wanted}. It begins: {beginning(answer.text)}"
    raise NoAnswerError(message)


def _document(answer: "httpx.Response") -> Any:
    kind = answer.headers.get("content-type", "no content type")
    return parse(answer.text, of=f"The answer ({kind})")


def _said(answer: "httpx.Response") -> str:
    return f"{answer.request.method} {answer.request.url} answered {answer.status_code}"


def _described(answer: "httpx.Response") -> dict[str, Any]:
    shown = {
        "status": answer.status_code,
        "content type": answer.headers.get("content-type", ""),
        "bytes": len(answer.content),
    }
    return {**shown, "location": answer.headers["location"]} if answer.is_redirect else shown
