"""A small shelf: three runbooks that are live, and the rest of the platform's unwritten."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from runbook_nb.runbook.catalog import Entry, read_entries
from runbook_nb.runbook.policy import read_policy
from runbook_nb.testing import runbook_cells

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
TODAY = date(2026, 11, 23)
FRONTS = {
    "heartbeat_failure_recovery": {
        "title": "Heartbeat Failure Recovery",
        "scenario": "The SSE heartbeat is late or missing, and streams freeze.",
        "group": "Execution & Performance",
        "severity": "SEV2",
        "owner": "Runtime Steward",
        "alerts": ["SSEHeartbeatLagHigh", "StreamStalled"],
        "related": ["rollback_procedure"],
        "last_validated": "2026-11-20",
    },
    "rollback_procedure": {
        "title": "Rollback Procedure",
        "scenario": "A release of the UI, the agent or the database must be undone.",
        "group": "Critical Incident Response",
        "severity": "SEV2",
        "owner": "Operations (Incident Commander) + Release Manager",
        "alerts": ["ReleaseErrorsHigh"],
        "related": [],
        "last_validated": "2026-07-01",
    },
    "supabase_backup_restore": {
        "title": "Supabase Backup Restore",
        "scenario": "Data is lost or corrupt.",
        "group": "Data & Storage",
        "severity": "SEV1",
        "owner": "Nobody We Know",
        "alerts": ["WalArchiveGap"],
        "related": [],
        "last_validated": "2026-10-01",
    },
}
SYMPTOMS = {
    "heartbeat_failure_recovery": '- The alert "heartbeat above 8 s p95" fires.\n- It freezes.',
    "rollback_procedure": "- Errors begin within an hour of a deploy.",
    "supabase_backup_restore": "- Rows that were there are gone.",
}


def notebook(name: str, **changes: object) -> dict:
    """Return a runbook of the shelf as JSON."""
    made = runbook_cells(checks=("Lag",))
    made["metadata"]["runbook"].update(FRONTS.get(name, {}), name=name, **changes)
    text = f"## Symptoms\n\n{SYMPTOMS.get(name, '')}"
    made["cells"].insert(2, {"cell_type": "markdown", "metadata": {}, "source": text})
    return made


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    shutil.copy(NOTEBOOKS / "organisation.toml", folder)
    for name in FRONTS:
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(name)), encoding="utf-8")
    return folder


@pytest.fixture
def put(shelf: Path) -> Callable[..., Path]:
    """Put a runbook on the shelf, live or archived."""

    def put(name: str, *, archived: bool = False, **changes: object) -> Path:
        folder = shelf / "archived" if archived else shelf
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.ipynb"
        path.write_text(json.dumps(notebook(name, **changes)), encoding="utf-8")
        return path

    return put


@pytest.fixture
def entries(shelf: Path) -> Callable[[], list[Entry]]:
    return lambda: read_entries(shelf, policy=read_policy(shelf), today=TODAY)
