"""A real PostgreSQL, with a store of its own for each test, and machines that work on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.writer import WritableTimeline
from store_server import empty, server, store

__all__ = ["empty", "server", "store"]
SETTINGS = '[store]\ndsn = "env:SHARED_STORE"\ntimelines = true\n'


@pytest.fixture
def machine(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], IncidentsFolder]:
    """Set up machines by name: each has a folder of its own, and nothing else of the others."""
    monkeypatch.setenv("SHARED_STORE", store)
    monkeypatch.delenv("RUNBOOK_PROJECT", raising=False)

    def machine(name: str) -> IncidentsFolder:
        folder = tmp_path / name / "incidents"
        if not folder.is_dir():
            folder.mkdir(parents=True)
            (tmp_path / name / "runbook.toml").write_text(SETTINGS, encoding="utf-8")
        return IncidentsFolder(folder)

    return machine


@pytest.fixture
def timeline(
    machine: Callable[[str], IncidentsFolder],
) -> Callable[..., WritableTimeline]:
    """Give the timeline of an incident on a machine."""

    def timeline(name: str, incident: str = "INC-1") -> WritableTimeline:
        path = machine(name).incident(incident).timeline
        return WritableTimeline(path, redactor=Redactor())

    return timeline
