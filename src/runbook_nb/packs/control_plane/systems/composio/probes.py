"""What is read of Composio itself."""

import time
from http import HTTPStatus
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, probe

API: Final = "/api/v3.1"
# The platform's target for a listing is 0.5 s; the partner's own client waits 60 s.
PATIENCE_S: Final = 5.0


@probe(unit="", timeout_s=12)
def answers(systems: Systems) -> Reading:
    """Ask for a toolkit and name what comes back; a refused key is an answer too.

    ``ok`` is Composio's own JSON; else ``HTTP 5xx``, ``rate limited``, ``not JSON``, ``no answer``
    (5 s) or ``refused``.
    """
    import httpx

    began = time.monotonic()
    try:
        response = _toolkits(systems)
    except httpx.TimeoutException:
        return Reading(value="no answer", detail={"waited_s": PATIENCE_S})
    except httpx.ConnectError as error:
        return Reading(value="refused", detail={"error": str(error)})
    except httpx.TransportError as error:
        return Reading(value="cut off", detail={"error": str(error)})
    detail = {
        "status": response.status_code,
        "took_s": round(time.monotonic() - began, 3),
        "requests left this minute": response.headers.get("x-ratelimit-remaining"),
    }
    return Reading(value=_word(response), detail=detail)


def _toolkits(systems: Systems) -> Any:
    return systems.http("composio").get(
        f"{API}/toolkits", params={"limit": "1"}, timeout_s=PATIENCE_S
    )


def _word(response: Any) -> str:
    """Name an answer; only the API's own JSON counts as one."""
    status, kind = response.status_code, response.headers.get("content-type", "")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate limited"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"HTTP {status}"
    return "ok" if kind.startswith("application/json") else "not JSON"
