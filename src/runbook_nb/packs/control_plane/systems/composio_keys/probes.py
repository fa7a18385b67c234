"""What is read of our key at Composio."""

from http import HTTPStatus
from typing import Any

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.composio_keys._keys import (
    API,
    PATIENCE_S,
    keys_by_age,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="", timeout_s=12)
def accepted(systems: Systems) -> Reading:
    """Tell whether our key is ``accepted`` or ``refused``; anything else tells nothing of it."""
    answer = _toolkits(systems)
    status = answer.status_code
    if status == HTTPStatus.OK and "json" not in answer.headers.get("content-type", ""):
        message = "A page came back instead of Composio's answer, which tells nothing of the key."
        raise NoAnswerError(message)
    if status not in (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        message = f"Composio answered HTTP {status}, which tells nothing about the key."
        raise NoAnswerError(message)
    word = "accepted" if status == HTTPStatus.OK else "refused"
    return Reading(value=word, detail={"status": status})


@probe(unit="d")
def age(systems: Systems) -> Reading:
    """Return the age of the oldest key that is still valid, in days."""
    keys = keys_by_age(systems)
    if not keys:
        message = "The project shows no key."
        raise NoAnswerError(message)
    return Reading(value=max(one["age_d"] for one in keys), detail=keys)


def _toolkits(systems: Systems) -> Any:
    return systems.http("composio").get(
        f"{API}/toolkits", params={"limit": "1"}, timeout_s=PATIENCE_S
    )
