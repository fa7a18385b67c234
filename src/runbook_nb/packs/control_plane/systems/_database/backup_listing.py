"""The list of backups, as Supabase's Management API gives it."""

from datetime import datetime
from typing import Any

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.backup_files import COMPLETED, moment
from runbook_nb.probes.calls import Systems


def answer(systems: Systems) -> dict[str, Any]:
    """Return what the Management API says of the project's backups."""
    path = f"{project(systems)}/database/backups"
    said: dict[str, Any] = systems.http("supabase_management").get(path).raise_for_status().json()
    return said


def listed(systems: Systems) -> list[dict[str, Any]]:
    """Return the backups; raises NoAnswerError when there is none."""
    backups: list[dict[str, Any]] = answer(systems)["backups"]
    if not backups:
        message = "The Management API lists no backup."
        raise NoAnswerError(message)
    return backups


def completed(backups: list[dict[str, Any]]) -> list[datetime]:
    """Return when each completed one ended; raises NoAnswerError when there is none."""
    done = [each["inserted_at"] for each in backups if each["status"] == COMPLETED]
    if not done:
        message = f"None of the {len(backups)} backups listed is completed."
        raise NoAnswerError(message)
    return [moment(each) for each in done]


def project(systems: Systems) -> str:
    """Return the path of the project."""
    return f"/v1/projects/{systems.setting('supabase_management', 'ref')}"
