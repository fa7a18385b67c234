"""A project: found upwards, read from its file, and handed on to other processes."""

import os
import sys
from pathlib import Path

import pytest

from runbook_nb.errors import ProjectError
from runbook_nb.project import Project, handed_on


@pytest.fixture(autouse=True)
def no_project_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNBOOK_PROJECT", raising=False)


def test_a_project_is_found_from_any_folder_below(write_file, tmp_path: Path):
    """The nearest file upwards says where everything is."""
    write_file("runbook.toml", 'notebooks = "ops/books"\npacks = ["team.runbooks:PACK"]')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    project = Project.find(below)

    assert project.root == tmp_path
    assert project.notebooks == tmp_path / "ops" / "books"
    assert project.incidents == tmp_path / "incidents"
    assert project.packs == ("team.runbooks:PACK",)
    assert project.src == (tmp_path / "src",)


def test_the_nearest_project_is_the_one(write_file, tmp_path: Path):
    """One inside another is its own."""
    write_file("runbook.toml", "")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[tool.runbook]\nincidents = "told"\n')

    assert Project.find(inner).incidents == inner / "told"


def test_a_pyproject_of_another_tool_is_no_project(write_file, tmp_path: Path):
    """Also where it cannot be read: it is not ours."""
    write_file("pyproject.toml", "[tool.other]\nx = 1\n[broken")

    assert Project.read(tmp_path) is None


def test_environments_may_stand_in_the_pyproject(write_file, tmp_path: Path):
    """One file is enough for a team that has one."""
    write_file("pyproject.toml", '[tool.runbook.environments.staging]\nkind = "staging"\n')

    assert Project.read(tmp_path).environments == {"staging": {"kind": "staging"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('notebook = "x"', r"no setting is named 'notebook'. Did you mean 'notebooks'"),
        ("notebooks = 3", r'notebooks is a folder, such as notebooks = "notebooks", and not 3'),
        ('src = "src"', r"src is a list of texts"),
        ("packs = [1]", r"packs is a list of texts"),
        ("environments = 1", r"environments are tables"),
        ("[broken", r"is not TOML"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_sentence(write_file, tmp_path, text: str, said: str):
    """It names the file, the setting, and how it is written."""
    write_file("runbook.toml", text)

    with pytest.raises(ProjectError, match=rf"runbook\.toml.*{said}"):
        Project.read(tmp_path)


def test_a_folder_where_everybody_may_write_is_no_project(write_file, tmp_path: Path):
    """A project runs its code, and such a file may be anybody's."""
    write_file("runbook.toml", "")
    tmp_path.chmod(0o1777)

    assert Project.read(tmp_path) is None


def test_a_variable_names_the_project_from_anywhere(write_file, tmp_path: Path):
    """A kernel works in a folder of its own."""
    write_file("runbook.toml", "")

    assert Project.find(Path("/"), {"RUNBOOK_PROJECT": str(tmp_path)}).root == tmp_path
    with pytest.raises(ProjectError, match=r"no runbook\.toml is there"):
        Project.find(Path("/"), {"RUNBOOK_PROJECT": str(tmp_path / "none")})


def test_a_process_is_handed_the_project_and_its_package(write_file, tmp_path: Path):
    """Before what was on the path already."""
    write_file("runbook.toml", 'src = ["lib"]')
    environ = {"RUNBOOK_PROJECT": str(tmp_path), "PYTHONPATH": "/elsewhere"}

    handed = handed_on(environ)

    assert handed["RUNBOOK_PROJECT"] == str(tmp_path)
    assert handed["PYTHONPATH"] == os.pathsep.join([str(tmp_path / "lib"), "/elsewhere"])


def test_the_project_s_package_is_on_the_path_once(write_file, tmp_path: Path, monkeypatch):
    """However often it is asked for."""
    write_file("runbook.toml", "")
    monkeypatch.setattr(sys, "path", ["/first"])
    project = Project.read(tmp_path)

    project.put_on_path()
    project.put_on_path()

    assert sys.path == [str(tmp_path / "src"), "/first"]
