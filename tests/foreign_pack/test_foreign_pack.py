"""Another team's package, installed from wheels without the lab of the control plane."""

import json
import os
import shutil
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
NAMES = [
    runbook["name"]
    for group in tomllib.loads((REPOSITORY / "notebooks/organisation.toml").read_text())["group"]
    for runbook in group.get("runbook", ())
] + [page.stem for page in (REPOSITORY / "notebooks").glob("*.md") if "_" in page.stem]
PLATFORM = (
    *("control plane", "control_plane", "#incidents", "missions", "tenants"),
    *("composio", "supabase", "gemini", "copilotkit"),
)
FORBIDDEN = sorted({*NAMES, *PLATFORM})
ALERT = {
    "status": "firing",
    "labels": {"alertname": "ParcelsCircling", "severity": "P2", "environment": "lab"},
    "annotations": {"summary": "A parcel with a read label goes round."},
}
RUNBOOK = "parcels_pile_up"
INCIDENT = "INC-7001"
STORY = (
    (0, "list"),
    (0, "calls", "chutes"),
    (1, "lint"),  # nobody has validated it yet
    (0, "fmt", "--check"),
    (0, "show", RUNBOOK, "--no-pager"),
    (0, "coverage"),
    (0, "owners"),
    (0, "lab", "up"),
    (0, "run", RUNBOOK),
    (0, "lab", "inject", "chute_closed"),
    (2, "run", "--alert", "alert.json", "--incident", INCIDENT),
    (0, "approve", INCIDENT, "A"),
    (0, "run", RUNBOOK, "--incident", INCIDENT),
    (3, "open", RUNBOOK, "--incident", INCIDENT, "--no-browser"),
    (0, "close", INCIDENT, "--resolution", "The chute is open.", "--announce"),
    (0, "verify", f"incidents/{INCIDENT}"),
    (0, "postmortem", INCIDENT),
    (0, "archive"),
    (0, "lab", "down"),
    (0, "drill", RUNBOOK, "--fault", "chute_closed"),
    (0, "validate", RUNBOOK),
    (0, "lint"),
)


class Team:
    """A folder of another team's, and the command ``runbook`` of its own environment."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._programs = programs
        self.said: list[tuple[str, int, str]] = []

    def runbook(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command as a process of its own and keep what it said."""
        kept = {key: os.environ[key] for key in ("HOME", "LANG") if key in os.environ}
        path = os.pathsep.join([str(self._programs), os.environ["PATH"]])
        lab = str(self.folder.parent / "lab" / "hall")
        done = subprocess.run(
            [str(self._programs / "runbook"), *words],
            cwd=self.folder,
            env={**kept, "PATH": path, "RUNBOOK_LAB": lab, "COLUMNS": "120"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.said.append((" ".join(words), done.returncode, done.stdout + done.stderr))
        return done

    def leaks(self) -> list[str]:
        """Say where an output or a text file names the other platform."""
        texts = {command: text for command, _, text in self.said}
        for path in self.folder.rglob("*"):
            if path.is_file():
                texts[str(path.relative_to(self.folder))] = path.read_bytes().decode(
                    "utf-8", "ignore"
                )
        return [
            f"{place}: {word}"
            for place, text in texts.items()
            for word in FORBIDDEN
            if word in text.lower()
        ]


@pytest.fixture(scope="module")
def programs(tmp_path_factory) -> Path:
    """Build both wheels and install them, and no more than they ask for."""
    folder = tmp_path_factory.mktemp("foreign")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["PIP_CONSTRAINT"] = str(REPOSITORY / "constraints.txt")
    venv.create(folder / "venv", with_pip=True)
    pip = [str(folder / "venv/bin/python"), "-m", "pip"]
    for words in (
        ["wheel", "-q", "--no-deps", "-w", str(folder / "wheels"), str(REPOSITORY), str(HERE)],
        ["install", "-q", "--find-links", str(folder / "wheels"), "parcel-hall"],
    ):
        subprocess.run([*pip, *words], env=environment, check=True, timeout=280)
    return folder / "venv/bin"


@pytest.fixture
def hall(programs, tmp_path) -> Team:
    """The hall's project, with its lab put down at the end."""
    folder = tmp_path / "project"
    shutil.copytree(HERE / "notebooks", folder / "notebooks")
    shutil.copy(HERE / "runbook.toml", folder)
    (folder / "alert.json").write_text(json.dumps(ALERT))
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab").chmod(0o711)
    team = Team(programs, folder)
    yield team
    team.runbook("lab", "down")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_another_team_works_a_night_with_its_own_platform(hall):
    """Every command ends as it should, and none of them names somebody else's platform."""
    for code, *words in STORY:
        done = hall.runbook(*words)
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"

    assert hall.leaks() == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_project_begins_without_anybody_elses_platform(programs, tmp_path):
    """What init writes is right but for its first validation, and new adds a draft to it."""
    Team(programs, tmp_path).runbook("init", "project")
    team = Team(programs, tmp_path / "project")

    assert team.runbook("lint").returncode == 1
    assert team.runbook("new", "queue_flood", "--severity", "SEV2").returncode == 0
    assert team.leaks() == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_without_jupyterlab_open_is_one_sentence(hall):
    """Which extra brings it."""
    done = hall.runbook("open", RUNBOOK, "--no-browser")

    assert done.returncode == 3
    assert "runbook-nb[notebook]" in done.stderr
