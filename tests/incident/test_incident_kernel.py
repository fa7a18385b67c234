"""The verbs in a real kernel: the board redraws in place, and an executed copy keeps its end."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from runbook_nb.incident.context import RunContext
from runbook_nb.record.facts import Record
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine import execute
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.timeline.events import (
    Acted,
    Changed,
    Checked,
    Started,
    Undone,
    Verdict,
    Verified,
)
from runbook_nb.timeline.incidents import find

SETUP = """\
from runbook_nb import Incident, at_most, equals, seconds
from runbook_nb.testing import RecordingAction, scripted_probe

restart = RecordingAction()
incident = Incident.open(incident_id, runbook="trial", environment=environment)"""
CHECK = """\
incident.check("Lag", scripted_probe(9, unit="s"), expect=at_most(5, "s"),
               if_failed="Option A: Restart")"""
DECIDE = "incident.decide()"
ACT = """\
incident.act("Restart", restart(), because="Lag", risk="Calls are cut.", undo="None needed.")"""


def markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, *tags: str) -> dict[str, Any]:
    ran = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": text, **ran}


def notebook() -> dict[str, Any]:
    """Return a runbook with one check, one option and its action."""
    cells = [
        markdown("# Trial — Operational Procedure"),
        code('incident_id: str = ""\nenvironment: str = "trial"', "parameters"),
        code(SETUP),
        markdown("## Diagnosis\n\n### Check 1: Lag"),
        code(CHECK),
        markdown("## Resolution Steps"),
        code(DECIDE),
        markdown("### Option A: Restart"),
        code(ACT),
    ]
    front = {"name": "trial", "title": "Trial", "severity": "SEV2"}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"runbook": front, "kernelspec": kernel}
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runbook:
    """The trial runbook in a folder of its own, and an environment without any system."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    path = folder / "trial.ipynb"
    path.write_text(json.dumps(notebook()), encoding="utf-8")
    monkeypatch.setenv("RUNBOOK_NOTEBOOKS", str(folder))
    monkeypatch.setenv("RUNBOOK_ENVIRONMENTS__TRIAL__KIND", "lab")
    return Runbook.read(path)


def context_of(runbook: Runbook, *, attended: bool, run: str = "run-1") -> RunContext:
    return RunContext(
        incidents=runbook.path.parent.parent / "incidents",
        incident="INC-1",
        run=run,
        notebook=runbook.path,
        actor="sam",
        attended=attended,
    )


class Kernel:
    """A kernel with a responder at its prompt; remembers what the cells showed."""

    def __init__(self, context: RunContext) -> None:
        self._manager = KernelManager()
        self._manager.start_kernel(env={**os.environ, **context.to_environ()})
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)
        self.asked: list[str] = []
        self.run('incident_id, environment = "INC-1", "trial"')
        self.opened = self.run(SETUP)

    def run(self, cell: str, *answers: str) -> list[dict[str, Any]]:
        """Run a cell and return the messages that it showed; errors are among them."""
        shown: list[dict[str, Any]] = []
        rest = iter(answers)

        def answer(question: dict[str, Any]) -> None:
            self.asked.append(question["content"]["prompt"])
            self._client.input(next(rest))

        self._client.execute_interactive(
            cell, allow_stdin=True, output_hook=shown.append, stdin_hook=answer, timeout=60
        )
        kinds = ("display_data", "update_display_data", "execute_result", "error")
        return [message for message in shown if message["msg_type"] in kinds]

    def end(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(runbook: Runbook) -> Iterator[Callable[..., Kernel]]:
    """Start kernels on the trial runbook; all are ended with the test."""
    started: list[Kernel] = []

    def start(**words: Any) -> Kernel:
        started.append(Kernel(context_of(runbook, attended=True, **words)))
        return started[-1]

    yield start
    for each in started:
        each.end()


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    if message["msg_type"] == "error":
        return "\n".join(content["traceback"])
    return str(content["data"]["text/plain"])


def test_the_board_is_drawn_once_and_updated_in_its_place(kernel):
    """The opening cell shows it; each verb draws it anew there, and not below itself."""
    responder = kernel()
    (board,) = responder.opened
    shown = responder.run(CHECK)

    assert board["msg_type"] == "display_data"
    assert "○ not run  Lag" in text_of(board)
    place = board["content"]["transient"]["display_id"]
    updates = [each for each in shown if each["msg_type"] == "update_display_data"]
    (update,) = (each for each in updates if each["content"]["transient"]["display_id"] == place)
    assert "✗ fail  Lag: 9 s, expected at most 5 s (sam" in text_of(update)
    assert [each["msg_type"] for each in shown].count("execute_result") == 1


def test_a_step_says_what_it_does_while_it_does_it(kernel):
    """In a line of its own, which is empty when the card stands there."""
    responder = kernel()
    shown = responder.run(CHECK)
    line, emptied = (
        text_of(each)
        for each in shown
        if each["msg_type"] in ("display_data", "update_display_data")
        and "board" not in each["content"]["transient"]["display_id"]
    )

    assert "reads, at most" in line
    assert emptied == ""


def test_a_restarted_kernel_shows_all_that_happened(kernel):
    """The board comes from the timeline, so the second kernel draws what the first did."""
    first = kernel()
    first.run(CHECK)
    first.run(DECIDE, "")
    (board,) = kernel(run="run-2").opened

    assert "✗ fail  Lag" in text_of(board)
    assert "Chosen: Option A: Restart (sam" in text_of(board)
    assert "Next: act: Restart" in text_of(board)


def test_after_a_restart_an_action_can_be_done_at_once(kernel, runbook):
    """Its check is known from the notebook's text, and read."""
    first = kernel()
    first.run(CHECK)
    first.run(DECIDE, "")
    responder = kernel(run="run-2")
    responder.run(ACT, "do")
    timeline = find(runbook.path.parent.parent / "incidents", "INC-1")

    assert timeline.last(Acted).outcome == "done"
    assert {checked.run for checked in timeline.of(Checked)} == {"run-1", "run-2"}


def test_after_a_restart_what_was_done_is_verified_and_undone_at_once(kernel, runbook):
    """No cell has to run first, so nothing is done a second time to know it again."""
    first = kernel()
    first.run(CHECK)
    first.run(DECIDE, "")
    first.run(ACT, "do")
    responder = kernel(run="run-2")
    responder.run('incident.verify("Lag", within=seconds(0))')
    responder.run('incident.undo("Restart")', "do")
    timeline = find(runbook.path.parent.parent / "incidents", "INC-1")

    assert timeline.last(Verified).verdict is Verdict.FAIL
    assert timeline.last(Undone).outcome == "done"


def test_the_cell_that_runs_is_compared_not_the_one_that_is_saved(kernel, runbook):
    """A responder who edits a cell and runs it has not saved the notebook yet."""
    responder = kernel()
    shown = responder.run(CHECK.replace("5", "20"))
    changed = find(runbook.path.parent.parent / "incidents", "INC-1").last(Changed)

    assert (changed.before, changed.after) == (CHECK, CHECK.replace("5", "20"))
    assert "Changed: this cell is not the runbook's" in text_of(shown[-1]) + text_of(shown[0])
    assert any("changed by the responder" in text_of(each) for each in shown)


def test_run_all_stops_at_an_action_and_asks(kernel):
    """Nothing changes before the word; asked again, it says when and by whom it was done."""
    responder = kernel()
    responder.run(CHECK)
    responder.run(DECIDE, "")
    done = responder.run(ACT, "do")
    responder.run(ACT, "no")

    assert "✓ DONE  Restart" in text_of(done[-1]) + text_of(done[-2])
    assert responder.asked[1] == "'Restart' in TRIAL: type 'do' to do it, Enter not to: "
    assert responder.asked[2].startswith("It was done at")
    assert " by sam. 'Restart' in TRIAL" in responder.asked[2]


def test_running_the_opening_cell_again_draws_the_board_and_forgets_nothing(kernel, runbook):
    """After the page was loaded again it is the way to a new board; the run goes on."""
    responder = kernel()
    responder.run(CHECK)
    responder.run(DECIDE, "")
    (board,) = responder.run(SETUP)
    responder.run(ACT, "do")
    timeline = find(runbook.path.parent.parent / "incidents", "INC-1")

    assert "✗ fail  Lag" in text_of(board)
    assert timeline.last(Acted).outcome == "done"
    (run,) = Record.of(timeline).runs
    assert run.started_at == timeline.of(Started)[0].at


def test_an_executed_copy_keeps_the_last_state_of_the_board(runbook):
    """Unattended, nobody watches it change; the copy says how it ended."""
    context = context_of(runbook, attended=False)
    done = execute(
        runbook,
        parameters={"incident_id": "INC-1"},
        context=context,
        redactor=Redactor(),
        progress=for_stream(io.StringIO()),
    )
    assert done.complete, done.reason
    copy = json.loads(context.folder.executed("run-1").read_text(encoding="utf-8"))
    boards = [
        output["data"]["text/plain"]
        for cell in copy["cells"]
        for output in cell.get("outputs", ())
        if "Drawn at" in str(output.get("data", {}).get("text/plain", ""))
    ]

    assert len(boards) == 1
    assert "• rehearsed  Restart" in boards[0]
    assert find(context.incidents, "INC-1").last(Acted).outcome == "rehearsed"
