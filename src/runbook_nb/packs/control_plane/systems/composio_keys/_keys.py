"""Our keys as Composio lists them."""

from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.probes.calls import Systems

API: Final = "/api/v3.1"
PATIENCE_S: Final = 5.0


def keys_by_age(systems: Systems) -> list[dict[str, Any]]:
    """Return the project's valid keys, the oldest first; their values are never shown in full."""
    path = f"{API}/org/owner/project/{systems.setting('composio', 'project')}"
    found = systems.http("composio_org").get(path).raise_for_status().json()["api_keys"]
    now = datetime.now(UTC)
    keys = [
        {
            "name": one["name"],
            "created_at": one["created_at"],
            "age_d": (now - datetime.fromisoformat(one["created_at"])).days,
        }
        for one in found
    ]
    return sorted(keys, key=lambda one: one["created_at"])
