"""A responder with a terminal only: from a symptom to a closed record, in 80 columns over a pty."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Checked,
    Closed,
    Decided,
    Noted,
    Outcome,
    Started,
    Undone,
    Verdict,
    Verified,
)
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.log import Timeline

pexpect = pytest.importorskip("pexpect", reason="a terminal of its own needs pexpect")
pytestmark = pytest.mark.slow

Done = subprocess.CompletedProcess[str]
PROMPT = "says more: "
WIDTH = 80
COLOURS = re.compile(r"\x1b\[(?:1;)?3[0-7]m")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal:
    """Types into ``runbook`` in a pseudo-terminal, and keeps what it showed."""

    def __init__(self, folder: Path, variables: dict[str, str], *words: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "runbook_nb", *words],
            cwd=str(folder),
            env=variables,
            dimensions=(24, WIDTH),
            timeout=120,
            encoding="utf-8",
        )
        self.shown = ""

    def until(self, text: str, type_: str = "") -> None:
        """Wait for a text, and answer it."""
        self.child.expect_exact(text)
        self.shown += self.child.before + text
        self.child.sendline(type_)

    def end(self) -> int:
        """Wait for the end, and return the exit code."""
        self.child.expect(pexpect.EOF)
        self.shown += self.child.before
        self.child.close()
        return int(self.child.exitstatus)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A project of another team with its lab, and the variables of its commands."""
    root = tmp_path_factory.mktemp("walk")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    variables = {**kept, "RUNBOOK_LAB": str(root / "lab"), "TERM": "xterm-256color"}
    variables.pop("NO_COLOR", None)

    def run(*words: str) -> None:
        folder = root / "new" if (root / "new").exists() else root
        command = [sys.executable, "-m", "runbook_nb", *words]
        subprocess.run(command, cwd=folder, env=variables, check=True, capture_output=True)

    run("init", "new")
    run("lab", "up")
    try:
        yield root / "new", variables
    finally:
        run("lab", "down")


@pytest.fixture
def terminal(place: tuple[Path, dict[str, str]]) -> Callable[..., Terminal]:
    folder, variables = place

    def start(*words: str, **more: str) -> Terminal:
        return Terminal(folder, {**variables, **more}, *words)

    return start


@pytest.fixture
def command(place: tuple[Path, dict[str, str]]) -> Callable[..., Done]:
    folder, variables = place

    def run(*words: str) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "runbook_nb", *words],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def timeline_of(place: tuple[Path, dict[str, str]], shown: str) -> Timeline:
    incident = re.search(r"INC-\d+", shown)
    assert incident, shown
    return find(place[0] / "incidents", incident.group())


def test_from_a_fault_to_a_closed_record_left_and_taken_up(place, terminal, command):
    """Diagnosis, choice, action with its typed word, verification, undo, and the close."""
    assert command("lab", "inject", "worker_gone").returncode == 0
    first = terminal("walk", "queue_backlog")
    first.until(PROMPT, "")
    first.until("leaves it open: ", "Told them.")
    first.until(PROMPT, "a")
    first.until(PROMPT, "n told #ops: jobs are late")
    first.until(PROMPT, "q")
    assert first.end() == 0
    timeline = timeline_of(place, first.shown)
    incident = timeline.folder.name
    assert f"runbook walk {incident}" in first.shown
    assert timeline.last(Asked).answer == "Told them."
    assert timeline.last(Noted).text == "told #ops: jobs are late"
    assert timeline.last(Checked, title="Workers").verdict is Verdict.FAIL

    second = terminal("walk", incident)
    second.until(PROMPT, "")
    second.until("Press Enter for", "")
    second.until(PROMPT, "")
    second.until("type 'do' to do it", "do")
    second.until(PROMPT, "")
    second.until(PROMPT, "")
    assert second.end() == 0
    timeline = timeline_of(place, first.shown)
    assert [started.attended for started in timeline.of(Started)] == [True, True]
    assert timeline.last(Decided).option == "Option A: Start a worker"
    assert timeline.last(Acted).outcome is Outcome.DONE
    assert {verified.verdict for verified in timeline.of(Verified)} == {Verdict.PASS}
    assert f"runbook close {incident}" in second.shown

    refused = command("discard", incident, "--because", "A mistake.")
    assert refused.returncode != 0
    assert queries.closed(find(place[0] / "incidents", incident)) is None
    undone = terminal("undo", incident, "Start a worker")
    undone.until("type 'do' to do it", "do")
    assert undone.end() == 0
    assert find(place[0] / "incidents", incident).last(Undone).outcome is Outcome.DONE
    assert command("discard", incident, "--because", "It was undone.").returncode != 0
    assert command("lab", "heal", "worker_gone").returncode == 0
    assert command("close", incident).returncode == 0
    closed = terminal("walk", incident)
    assert closed.end() != 0
    assert "Traceback" not in first.shown + second.shown + undone.shown + closed.shown


def test_an_alert_leads_to_its_runbook(place, terminal, command):
    """And opens its incident; without anything said it asks what is meant."""
    alert = {"labels": {"alertname": "QueueWaitHigh"}, "annotations": {"summary": "They wait."}}
    (place[0] / "a.json").write_text(json.dumps(alert), encoding="utf-8")
    walked = terminal("walk", "--alert", "a.json")
    walked.until(PROMPT, "q")
    assert walked.end() == 0
    opened = timeline_of(place, walked.shown)[0]
    assert (opened.runbook, opened.alert.name) == ("queue_backlog", "QueueWaitHigh")
    nothing = terminal("walk")
    assert nothing.end() == 3
    assert "Say what to walk through" in nothing.shown


def test_a_step_that_ran_is_gone_to_by_its_title_and_run_again(place, terminal):
    """Every step works from any state, here in a process that ran none of the checks."""
    walked = terminal("walk", "queue_backlog")
    walked.until(PROMPT, "s")
    walked.until(PROMPT, "/verify workers")
    walked.until(PROMPT, "")
    walked.until(PROMPT, "/nothing of the kind")
    walked.until(PROMPT, "e")
    walked.until(PROMPT, "b")
    walked.until(PROMPT, "q")
    assert walked.end() == 0

    timeline = timeline_of(place, walked.shown)
    assert timeline.last(Verified).title == "Workers"
    assert timeline.last(Asked) is None


@pytest.mark.parametrize("more", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"LC_ALL": "C"}])
def test_it_stays_within_80_columns_with_and_without_colours(terminal, more):
    """What it prints is never broken by the terminal; a question of a person may be."""
    walked = terminal("walk", "queue_backlog", **more)
    walked.until(PROMPT, "b")
    walked.until(PROMPT, "?")
    walked.until(PROMPT, "q")
    assert walked.end() == 0

    coloured = bool(COLOURS.search(walked.shown))
    assert coloured is ("NO_COLOR" not in more and more.get("TERM") != "dumb")
    plain = ESCAPES.sub("", walked.shown).replace("\r", "")
    assert max(map(len, plain.split("\n"))) <= WIDTH


def test_an_interrupt_and_the_end_of_the_line_leave_the_incident_open(place, terminal):
    """A closed lid, a lost connection."""
    walked = terminal("walk", "queue_backlog")
    walked.child.expect_exact(PROMPT)
    walked.shown += walked.child.before
    walked.child.sendintr()
    assert walked.end() == 0
    timeline = timeline_of(place, walked.shown)
    assert queries.closed(timeline) is None

    again = terminal("walk", timeline.folder.name)
    again.child.expect_exact(PROMPT)
    again.child.sendeof()
    assert again.end() == 0


def test_an_incident_opened_by_mistake_is_discarded_with_a_reason(place, terminal, command):
    """Nothing was done in it; its record says so, and nothing more is done."""
    walked = terminal("walk", "queue_backlog")
    walked.until(PROMPT, "q")
    walked.end()
    incident = timeline_of(place, walked.shown).folder.name
    assert command("discard", incident, "--because", " ").returncode != 0
    assert command("discard", incident, "--because", "The wrong queue.").returncode == 0

    closed = find(place[0] / "incidents", incident).last(Closed)
    assert (closed.discarded, closed.resolution) == (True, "The wrong queue.")
    assert command("verify", incident).returncode in (0, 1)
    assert command("run", "queue_backlog", "--incident", incident).returncode != 0


def test_where_there_is_no_terminal_a_walk_is_refused_before_anything_is_opened(place, command):
    """A pipe answers no question."""
    before = sorted((place[0] / "incidents").glob("INC-*"))
    refused = command("walk", "queue_backlog")

    assert refused.returncode != 0
    assert "runbook run" in refused.stderr
    assert sorted((place[0] / "incidents").glob("INC-*")) == before
