"""Executed copies and records that all machines find: each written once, and none mixed up."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_nb.errors import (
    IncidentStateError,
    RecordIntegrityError,
    SettingMissingError,
    StoreUnavailableError,
)
from runbook_nb.record.close import close
from runbook_nb.record.proof import verify_record
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.copying import files_from, files_to
from runbook_nb.timeline.depot import Depot, depot_of, fetch_runs, keep_runs
from runbook_nb.timeline.events import Ended, Noted
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.incidents import declare
from runbook_nb.timeline.log import Timeline

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Set up machines by name that share a folder for files."""
    monkeypatch.delenv("RUNBOOK_PROJECT", raising=False)

    def machine(name, *, place=tmp_path / "shared"):
        folder = tmp_path / name / "incidents"
        folder.mkdir(parents=True, exist_ok=True)
        text = f'[store]\ndsn = "env:NONE"\nfiles = "{place}"\n'
        (folder.parent / "runbook.toml").write_text(text)
        return IncidentsFolder(folder)

    return machine


def ran(
    incidents, run="r1", content='{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
):
    """Open an incident and leave a run in it that has ended."""
    words = {"title": "T", "severity": "SEV2", "runbook": "r", "environment": "lab", "by": "ada"}
    timeline = declare(incidents.path, incident="INC-1", alert=None, redactor=Redactor(), **words)
    timeline.append(
        Ended(at=NOW, run=run, by="ada", runbook="r", complete=True, reason="", took_s=1.0)
    )
    file = timeline.folder.executed(run)
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    return timeline


def copied(source, target):
    """Have the other machine know the same timeline, as the store does."""
    path = target.incident("INC-1").timeline
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.path.read_bytes())


def test_a_copy_is_kept_once_and_found_by_another_machine(machine):
    """The same file again is none; the other machine's is the same to the byte."""
    one, other = machine("a"), machine("b")
    timeline = ran(one)
    depot = depot_of(one.path)
    assert keep_runs(depot, timeline.folder) == 1
    assert keep_runs(depot, timeline.folder) == 0
    copied(timeline, other)
    assert fetch_runs(depot, other.incident("INC-1")) == []
    there = other.incident("INC-1").executed("r1")
    assert there.read_bytes() == timeline.folder.executed("r1").read_bytes()


def test_another_file_of_that_name_replaces_nothing(machine):
    """It is said where both are."""
    one, other = machine("a"), machine("b")
    depot = depot_of(one.path)
    keep_runs(depot, ran(one).folder)
    second = ran(other, content="other")
    with pytest.raises(RecordIntegrityError, match="has another file"):
        keep_runs(depot, second.folder)
    assert "INC-1: " in files_to(other.path, depot).problems[0]


def test_what_still_runs_is_not_kept(machine):
    """Its copy changes until it has ended."""
    one = machine("a")
    timeline = ran(one)
    timeline.folder.executed("r2").write_text("half")
    assert keep_runs(depot_of(one.path), timeline.folder) == 1


def test_a_close_waits_for_the_copies_of_other_machines(machine):
    """Nothing is closed before; then the record is whole, and found by the others."""
    one, other = machine("a"), machine("b")
    timeline = ran(one)
    copied(timeline, other)
    with pytest.raises(IncidentStateError, match=r"r1.*another machine.*store copy --to store"):
        close(other.path, "INC-1", by="sam")
    copied(timeline, other)
    files_to(one.path, depot_of(one.path))
    close(other.path, "INC-1", by="sam")
    folder = other.incident("INC-1")
    assert folder.executed("r1").is_file()

    (one.incident("INC-1").timeline).write_bytes(folder.timeline.read_bytes())
    assert files_from(one.path, depot_of(one.path)).new == 3
    found = verify_record(one.incident("INC-1").path)
    assert found.problems == ()
    assert found.digest == verify_record(folder.path).digest


def test_incidents_that_lie_outside_of_their_project_are_kept_too(tmp_path, monkeypatch):
    """The project is the one that the command stands in."""
    monkeypatch.delenv("RUNBOOK_PROJECT", raising=False)
    project, elsewhere = tmp_path / "project", tmp_path / "data" / "incidents"
    project.mkdir()
    text = f'incidents = "{elsewhere}"\n[store]\ndsn = "env:NONE"\nfiles = "{tmp_path}/shared"\n'
    (project / "runbook.toml").write_text(text)
    monkeypatch.chdir(project)
    assert depot_of(elsewhere).place == f"{tmp_path}/shared"
    assert depot_of(tmp_path / "other") is None


def test_without_the_package_its_name_is_said(tmp_path, monkeypatch):
    """By every method, also where nothing else of the service is installed."""
    for name in ("obstore", "obstore.store", "obstore.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    file = tmp_path / "file"
    file.write_text("x")
    depot = Depot(f"{tmp_path}/never-opened")
    for ask in (
        lambda: depot.put("k", file),
        lambda: depot.fetch("k", tmp_path / "none"),
        lambda: depot.keys(""),
    ):
        with pytest.raises(SettingMissingError, match=r"needs the package obstore: pip install"):
            ask()


def test_a_lost_machine_does_not_keep_an_incident_open(machine):
    """It is closed without the copy, and its timeline says so."""
    one, other = machine("a"), machine("b")
    copied(ran(one), other)
    close(other.path, "INC-1", by="sam", without_copies=True)
    events = list(Timeline(other.incident("INC-1").timeline))
    (noted,) = [event for event in events if isinstance(event, Noted)]
    assert "without the executed copy of r1" in noted.text


def test_a_place_that_is_away_is_said_and_none_is_refused(machine, tmp_path):
    """In one sentence, without the client's whole state."""
    away = tmp_path / "a-file"
    away.write_text("")
    with pytest.raises((StoreUnavailableError, SettingMissingError), match="a-file") as told:
        Depot(f"{away}/below").put("k", away)
    assert "\n" not in str(told.value)
    with pytest.raises(SettingMissingError, match=r"ftp://x/y.*s3://bucket"):
        Depot("ftp://x/y").keys("")
    assert depot_of(Path("/nowhere/incidents")) is None
