"""What Composio lists, all pages of it: an answer that is no list tells nothing of anybody."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

if TYPE_CHECKING:
    import httpx

API: Final = "/api/v3.1"


def listed(systems: Systems, what: str) -> list[dict[str, Any]]:
    """Return every item of a list such as ``connected_accounts``.

    Raises NoAnswerError when Composio answers anything but a list.
    """
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        body = _body(systems.http("composio").get(f"{API}/{what}", params=params), what)
        found += body["items"]
        cursor = body.get("next_cursor") or None
    return found


def _body(answer: "httpx.Response", what: str) -> dict[str, Any]:
    """Return a page of the list; an outage tells nothing about anybody's consent."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code != HTTPStatus.OK or kind != "application/json":
        message = (
            f"Composio answered HTTP {answer.status_code} ({kind or 'no content type'}) instead of "
            f"its {what.replace('_', ' ')}, so nothing is known of them."
        )
        raise NoAnswerError(message)
    body: dict[str, Any] = answer.json()
    return body
