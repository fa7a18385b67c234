"""What is read of Composio itself."""

import time
from http import HTTPStatus
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, probe

API: Final = "/api/v3.1"
# The platform's target for a listing is 0.5 s; the partner's own client waits 60 s.
PATIENCE_S: Final = 5.0


# Four times the platform's target for a listing: whoever waits for calls waits for this too.
SLOW_S: Final = 2.0


@probe(unit="", timeout_s=20)
def answers(systems: Systems, *, samples: int = 5) -> Reading:
    """Ask for a toolkit a few times and name the first answer that is not ``ok``.

    ``ok`` is Composio's own JSON within 2 s; else ``slow``, ``HTTP 5xx``, ``rate limited``, ``not
    JSON``, ``no answer`` (5 s) or ``refused``. A refused key is an answer too. One that fails every
    third call fails one of these.
    """
    seen: list[dict[str, Any]] = []
    for _sample in range(samples):
        seen.append(_ask(systems))
        if seen[-1]["answer"] != "ok":
            break
    return Reading(value=seen[-1]["answer"], detail=seen)


def _ask(systems: Systems) -> dict[str, Any]:
    import httpx

    began = time.monotonic()
    try:
        response = _toolkits(systems)
    except httpx.TimeoutException:
        return {"answer": "no answer", "waited_s": PATIENCE_S}
    except httpx.ConnectError as error:
        return {"answer": "refused", "error": str(error)}
    except httpx.TransportError as error:
        return {"answer": "cut off", "error": str(error)}
    took_s = round(time.monotonic() - began, 3)
    word = _word(response)
    return {
        "answer": "slow" if word == "ok" and took_s > SLOW_S else word,
        "status": response.status_code,
        "took_s": took_s,
        "requests left this minute": response.headers.get("x-ratelimit-remaining"),
    }


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
