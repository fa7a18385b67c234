"""How each partner refuses who asks too often: its own status, headers and body.

Sources: the vendors' references of their HTTP APIs. Where a vendor names a status and no body, the
body is its usual error object.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

_WAIT_S: Final = 30
_MANY: Final = HTTPStatus.TOO_MANY_REQUESTS


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One answer that refuses; ``body`` is JSON text."""

    status: int
    headers: Mapping[str, str]
    body: str


def _refusal(body: Any, **headers: object) -> Refusal:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Refusal(
        status=_MANY,
        headers={"content-type": "application/json", **named},
        body=json.dumps(body),
    )


# From in front of the API, so not its error object; Retry-After comes with a refusal alone.
_COMPOSIO: Final = _refusal(
    {"message": "Rate limit exceeded. Limit: 2000 requests per 1 minutes"},
    x_ratelimit=2000,
    x_ratelimit_remaining=0,
    x_ratelimit_window_size="60s",
    retry_after=_WAIT_S,
)

# From the front end of Google's APIs, which names no quota and no time to wait.
_GOOGLE: Final = _refusal(
    {
        "error": {
            "code": 429,
            "message": "Resource has been exhausted (e.g. check quota).",
            "status": "RESOURCE_EXHAUSTED",
        }
    }
)

REFUSALS: Final[Mapping[str, Refusal]] = {
    "composio": _COMPOSIO,
    "composio_org": _COMPOSIO,
    "gemini": _GOOGLE,
    "google_cloud": _GOOGLE,
    # The reset is a time in seconds since 1970; an old one never reads as a long wait.
    "vercel": _refusal(
        {
            "error": {
                "code": "rate_limited",
                "message": "The rate limit of 500 was exceeded.",
                "limit": {"remaining": 0, "reset": 1_760_000_000_000, "total": 500},
            }
        },
        x_ratelimit_limit=500,
        x_ratelimit_remaining=0,
        x_ratelimit_reset=1_760_000_000,
        retry_after=_WAIT_S,
    ),
    # One request a second for each action on each machine, three for a moment.
    "fly": _refusal({"error": "rate limit exceeded"}),
    "slack": _refusal({"ok": False, "error": "ratelimited"}, retry_after=_WAIT_S),
    # The reset is the number of seconds to wait.
    "pagerduty": _refusal(
        {"error": {"message": "Rate Limit Exceeded", "code": 2020}},
        ratelimit_limit=960,
        ratelimit_remaining=0,
        ratelimit_reset=_WAIT_S,
    ),
    "composio_status": _refusal({"error": "Too many requests"}),
    "statuspage": _refusal({"error": "Too many requests"}),
    "supabase_management": _refusal(
        {"message": "ThrottlerException: Too Many Requests"},
        x_ratelimit_limit=120,
        x_ratelimit_remaining=0,
        x_ratelimit_reset=_WAIT_S,
        retry_after=_WAIT_S,
    ),
    "supabase_storage": _refusal(
        {"statusCode": "429", "error": "too_many_requests", "message": "Too many requests"},
    ),
}
