"""What the rules know beside one runbook: the other runbooks, contacts, drills, calls, the date."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from runbook_nb.authoring.lint.call_registry import Known
from runbook_nb.authoring.lint.contacts import Contacts
from runbook_nb.authoring.lint.page import Page
from runbook_nb.runbook.drill import Drill, drills_in

# The runbooks that the platform knows, written yet or not; one that is not may be pointed to.
PLATFORM: Final = (
    "incident_response",
    "rollback_procedure",
    "data_breach_response",
    "oauth_token_rotation",
    "oauth_connection_failure",
    "rls_policy_debugging",
    "heartbeat_failure_recovery",
    "inspection_timeout",
    "undo_failure_handling",
    "rate_limit_mitigation",
    "supabase_backup_restore",
    "evidence_bundle_corruption",
    "library_embedding_degradation",
    "composio_api_outage",
    "copilotkit_session_recovery",
    "gemini_api_quota_exhaustion",
    "telemetry_ingestion_stall",
    "dashboard_metric_anomalies",
    "alert_fatigue_reduction",
)


class Shelf:
    """A folder of runbooks, read once; ``pages`` are by name."""

    def __init__(self, folder: Path, pages: Mapping[str, Page], today: date) -> None:
        self.folder, self.pages, self.today = folder, pages, today
        self.known = Known()
        self.contacts = Contacts.read(folder / "contacts.toml")

    @classmethod
    def read(cls, folder: Path, today: date) -> "Shelf":
        """Read all runbooks of a folder; a README is none."""
        paths = (path for path in sorted(folder.glob("*.md")) if path.stem != "README")
        return cls(folder, {path.stem: Page.read(path) for path in paths}, today)

    @cached_property
    def retired(self) -> frozenset[str]:
        """The names of archived runbooks."""
        return frozenset(path.stem for path in (self.folder / "archived").glob("*.md"))

    @cached_property
    def answering(self) -> dict[str, list[str]]:
        """The names of the runbooks that answer each alert."""
        found: dict[str, list[str]] = {}
        for name, page in self.pages.items():
            for alert in dict.fromkeys(page.strings("alerts")):
                found.setdefault(alert, []).append(name)
        return found

    def drills(self, runbook: str) -> list[Drill]:
        """Return the drills of a runbook."""
        return self._drills.get(runbook, [])

    @cached_property
    def _drills(self) -> dict[str, list[Drill]]:
        found: dict[str, list[Drill]] = {}
        for drill in drills_in(self.folder):
            found.setdefault(drill.runbook, []).append(drill)
        return found
