"""How Composio's API is asked, and what came instead where it does not answer as itself."""

import socket
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

if TYPE_CHECKING:
    import httpx

API: Final = "/api/v3.1"
# Composio's listing is to come within 0.5 s; six times that is no answer to a mission.
PATIENCE_S: Final = 3.0
ANSWERED: Final = "answered"
# Other services on the way out: where none of them can be reached, nothing is known of Composio.
CONTROLS: Final = ("composio_status", "slack", "vercel", "pagerduty")


def ask(systems: Systems, **params: str) -> dict[str, Any]:
    """Ask for a page of toolkits; name what came back, with its time and headers.

    ``answered`` is Composio's own JSON, or its own refusal; else what came instead.
    """
    import httpx

    began = time.monotonic()
    try:
        response = systems.http("composio").get(
            f"{API}/toolkits", params=params or {"limit": "1"}, timeout_s=PATIENCE_S
        )
    except httpx.TransportError as error:
        return {"came": unsent(error), "took_ms": _took_ms(began)}
    return {"came": _name(response), "took_ms": _took_ms(began), "response": response}


def worked(asked: dict[str, Any]) -> bool:
    """Tell whether Composio answered, and did not refuse."""
    response = asked.get("response")
    return asked["came"] == ANSWERED and response is not None and not response.is_error


def unsent(error: BaseException) -> str:
    """Name an error of the way there: the name, the connection, the certificate or the time."""
    import httpx

    causes = list(_chain(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "name unknown"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "TLS failed"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {PATIENCE_S:g} s"
    return "refused" if isinstance(error, httpx.ConnectError) else "cut off"


def demand_way_out(systems: Systems) -> None:
    """Raise NoAnswerError where no other service can be reached from here either."""
    import httpx

    for name in CONTROLS:
        try:
            systems.http(name).get("/", timeout_s=1.0)
        except httpx.TransportError:
            continue
        return
    message = (
        f"Nothing outside can be reached from here ({', '.join(CONTROLS)} neither), so nothing is "
        "known of Composio. Mend the way out of this machine, or run this from another one."
    )
    raise NoAnswerError(message)


def told(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked without the answer's body."""
    response = asked.get("response")
    status = {} if response is None else {"status": response.status_code}
    return {"came": asked["came"], "took_ms": asked["took_ms"], **status}


def _name(response: "httpx.Response") -> str:
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"HTTP {response.status_code}"
    if response.is_error:
        return ANSWERED
    try:
        said = response.json()
    except ValueError:
        return "not JSON"
    listed = isinstance(said, dict) and isinstance(said.get("items"), list)
    return ANSWERED if listed else "not a list of toolkits"


def _chain(error: BaseException | None) -> Any:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _took_ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
