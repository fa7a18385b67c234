"""A new project: whole or not at all, and over nothing that is there."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook_nb.authoring.scaffold.new_project import begin_project
from runbook_nb.errors import ProjectError
from runbook_nb.project import Project

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_new_project_has_a_pair_a_pack_and_two_drills(tmp_path: Path):
    """What is written is what is told, and it is a project."""
    made = begin_project(tmp_path / "new", now=NOW)

    assert files(made.root) == {str(path.relative_to(made.root)) for path in made.files}
    assert made.runbook == "queue_backlog"
    assert {
        ".gitignore",
        "notebooks/queue_backlog.ipynb",
        "notebooks/drills/queue_backlog.none.json",
        "notebooks/drills/queue_backlog.worker_gone.json",
        "src/work_queue/systems/jobs/probes.py",
    } <= files(made.root)
    assert Project.read(made.root).packs == ("work_queue:PACK", "everyday")
    assert "last_updated: '2026-11-26'" in (made.root / "notebooks/queue_backlog.md").read_text()


def test_other_files_of_the_folder_stay(tmp_path: Path):
    """A repository that is there already may become a project."""
    (tmp_path / "main.tf").write_text("kept")

    begin_project(tmp_path, now=NOW)

    assert (tmp_path / "main.tf").read_text() == "kept"


def test_a_file_in_the_way_stops_all_of_it(tmp_path: Path):
    """It is named, and nothing is written."""
    (tmp_path / "README.md").write_text("kept")

    with pytest.raises(ProjectError, match=r"has README\.md already\. Nothing was written"):
        begin_project(tmp_path, now=NOW)

    assert files(tmp_path) == {"README.md"}
    assert (tmp_path / "README.md").read_text() == "kept"


def test_a_project_is_not_made_twice(tmp_path: Path):
    """Also not where its file is the pyproject."""
    (tmp_path / "pyproject.toml").write_text("[tool.runbook]\n")

    with pytest.raises(ProjectError, match="is a project already"):
        begin_project(tmp_path, now=NOW)
