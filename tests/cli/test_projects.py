"""The command in a project, below it, and outside: whose runbooks it uses, and what it writes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_nb

pytestmark = pytest.mark.slow

Runbook = Callable[..., subprocess.CompletedProcess[str]]
SHIPPED = "No project here (no runbook.toml upwards): using the runbooks shipped with runbook_nb."
WRITING = (
    ("new", "cache_cold"),
    ("import", "page.md"),
    ("fmt",),
    ("validate", "rollback_procedure"),
    ("retire", "rollback_procedure", "--reason", "No more."),
    ("review",),
)


def runbook_in(root: Path) -> Runbook:
    """Run the command as a process of its own, in a folder below ``root``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}

    def run(*words: str, folder: str = ".", **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "runbook_nb", *words],
            cwd=root / folder,
            env={**own, **more},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def runbook(tmp_path: Path) -> Runbook:
    """The command in a folder of the test's own, which is no project."""
    return runbook_in(tmp_path)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one runbook that its author just began, and a folder below."""
    root = tmp_path_factory.mktemp("project")
    (root / "runbook.toml").write_text("")
    (root / "deep" / "down").mkdir(parents=True)
    (root / "incidents" / "INC-1").mkdir(parents=True)
    begun = runbook_in(root)("new", "cache_cold", "--fault", "cold", folder="deep/down")
    assert begun.returncode == 0, begun.stderr
    return root


def test_outside_a_project_the_shipped_runbooks_are_read_and_it_is_said(runbook):
    """On the error stream, so that JSON stays JSON."""
    done = runbook("list", "--json")

    assert done.returncode == 0
    assert done.stderr.splitlines() == [SHIPPED]
    assert json.loads(done.stdout)


@pytest.mark.parametrize("words", WRITING, ids=lambda words: words[0])
def test_outside_a_project_nothing_is_written(runbook, tmp_path: Path, words: tuple[str, ...]):
    """One sentence says why, and how to begin."""
    (tmp_path / "page.md").write_text("# Cache\n\nRestart it.\n")

    done = runbook(*words)

    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "runbook init" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_a_folder_below_uses_the_runbooks_of_the_project(project: Path):
    """And nothing is said, as they are its own."""
    done = runbook_in(project)("list", "--json", folder="deep/down")

    written = [each["name"] for each in json.loads(done.stdout) if each["state"] == "live"]
    assert written == ["cache_cold"]
    assert done.stderr == ""
    assert (project / "notebooks" / "drills" / "cache_cold.cold.json").is_file()


def test_another_folder_in_use_is_said(project: Path, tmp_path: Path):
    """A variable wins over the project, and is not silent."""
    (tmp_path / "other").mkdir()

    done = runbook_in(project)("list", RUNBOOK_NOTEBOOKS=str(tmp_path / "other"))

    assert f"Using the runbooks in {tmp_path / 'other'} (RUNBOOK_NOTEBOOKS)." in done.stderr


def test_a_named_folder_that_is_missing_is_one_sentence(runbook, tmp_path: Path):
    """The shipped runbooks do not take its place."""
    (tmp_path / "runbook.toml").write_text('notebooks = "boks"')

    done = runbook("list")

    assert done.returncode == 3
    assert done.stderr.strip().endswith("boks, and there is no such folder.")


def test_a_draft_lands_at_the_root_of_the_project(project: Path):
    """From whatever folder its source was read."""
    (project / "deep" / "page.md").write_text("# Cache\n\n1. Restart it.\n")

    done = runbook_in(project)("import", "page.md", folder="deep")

    assert done.returncode == 1, done.stderr
    assert [path.name for path in (project / "drafts").iterdir()]


def test_the_version_is_told():
    """Without looking at anything else."""
    done = subprocess.run(
        [sys.executable, "-m", "runbook_nb", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("runbook_nb 0.")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("runbook run ca", "cache_cold"),
        ("runbook drill cache_cold --fault ", "cold"),
        ("runbook lab inject ", "cold"),
        ("runbook lint ca", "cache_cold"),
        ("runbook fmt ca", "cache_cold"),
        ("runbook run cache_cold --option ", "A"),
        ("runbook run cache_cold -p ", "verify_within_s="),
        ("runbook close IN", "INC-1"),
        ("runbook verify IN", "INC-1"),
        ("runbook open IN", "INC-1"),
        ("runbook diff IN", "INC-1"),
    ],
)
def test_names_complete_in_the_shell(project: Path, typed: str, offered: str):
    """Of the project, from a folder below."""
    done = runbook_in(project)(
        folder="deep",
        _RUNBOOK_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(len(typed.split(" ")) - 1),
    )

    assert offered in done.stdout.splitlines(), done.stderr


def test_a_missing_extra_is_one_sentence(runbook, tmp_path: Path):
    """Which module, and what to install."""
    (tmp_path / "chaoslib").mkdir()
    (tmp_path / "chaoslib" / "__init__.py").write_text(
        "raise ModuleNotFoundError('gone', name='chaoslib')"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(runbook_nb.__file__).parents[1])])

    done = runbook("drill", PYTHONPATH=path)

    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == (
        "runbook: This needs chaoslib. Install it: pip install 'runbook-nb[drills]'"
    )
