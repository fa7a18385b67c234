"""What is read of keys and secrets: their age, and never a value."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, probe

COMPOSIO: Final = "/api/v3.1/org/owner/project"


@probe(unit="d", timeout_s=30)
def oldest(systems: Systems) -> Reading:
    """Return the days since the oldest key or secret was last rotated.

    Asked are Supabase for its API keys, Fly for the agent's secrets, and Composio for its keys.
    Raises NoAnswerError where one of them does not say: the oldest could be among its own.
    """
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {"Credential": name, "rotated": at, "age d": (now - datetime.fromisoformat(at)).days}
        for name, at in _all(systems)
    ]
    rows.sort(key=lambda row: -row["age d"])
    return Reading(value=rows[0]["age d"], detail=rows)


def _all(systems: Systems) -> Iterator[tuple[str, str]]:
    ref = systems.setting("supabase_management", "ref")
    for key in _listed(systems, "supabase_management", f"/v1/projects/{ref}/api-keys", None):
        yield f"Supabase {key['type']} key {key['name']}", key["updated_at"]
    app = systems.setting("fly", "app")
    for secret in _listed(systems, "fly", f"/v1/apps/{app}/secrets", "secrets"):
        yield f"agent's {secret['name']}", secret["updated_at"]
    project = systems.setting("composio", "project")
    for key in _listed(systems, "composio_org", f"{COMPOSIO}/{project}", "api_keys"):
        yield f"Composio key {key['name']}", key["created_at"]


def _listed(systems: Systems, system: str, path: str, name: str | None) -> list[dict[str, Any]]:
    answer = systems.http(system).get(path)
    if not answer.is_success or "json" not in answer.headers.get("content-type", ""):
        message = f"{system} answered HTTP {answer.status_code} and no list of its keys."
        raise NoAnswerError(message)
    body = answer.json()
    found: list[dict[str, Any]] = body if name is None else body[name]
    if not found:
        message = f"{system} lists no key at all."
        raise NoAnswerError(message)
    return found
