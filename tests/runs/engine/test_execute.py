"""A notebook is run by papermill on a real kernel, and its copy says truthfully what ran."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from runbook_nb.errors import ExecutionError, ParameterError
from runbook_nb.incident.context import RunContext
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine import Execution, execute

PARAMETERS = 'incident_id: str = "INC-1"\nenvironment: str = "lab"\nnote: str = ""'
OPENING = """\
class RunStopped(Exception): pass

class incident:
    @staticmethod
    def note(text):
        print(text)

    @staticmethod
    def stop(reason):
        raise RunStopped(reason)
"""
# Starts a child, tells both process ids by a file, and waits for longer than any test.
HANG = """\
import os, pathlib, subprocess, threading
child = subprocess.Popen(["sleep", "300"])
grandchild = subprocess.Popen("sleep 301 & wait", shell=True, process_group=0)
draft = pathlib.Path({told!r} + ".tmp")
draft.write_text(f"{{os.getpid()}} {{child.pid}} {{grandchild.pid}}")
print("before the wait", flush=True)
draft.rename({told!r})
threading.Event().wait(300)
"""
RUNNER = """\
import dataclasses, json, resource, sys
from pathlib import Path
from runbook_nb.incident.context import RunContext
from runbook_nb.runs.engine import execute
from runbook_nb.runs.engine.progress import for_stream
from runbook_nb.redaction import Redactor
from runbook_nb.runbook import Runbook

notebook, folder, largest = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
if largest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
context = RunContext(
    incidents=folder, incident="INC-1", run="r1", notebook=notebook, actor="a", attended=False
)
done = execute(
    Runbook.read(notebook),
    parameters={},
    context=context,
    redactor=Redactor(),
    progress=for_stream(sys.stderr),
)
print(json.dumps(dataclasses.asdict(done), default=str))
"""


class _Silent:
    def __init__(self, ended=None):
        self.ended = [] if ended is None else ended

    def begin(self, total, runbook): ...
    def step(self, number, total, title): ...
    def seen(self, event): ...

    def end(self, execution):
        self.ended.append(execution)


@pytest.fixture
def written(tmp_path):
    """Return what writes a notebook of these code cells, each under a heading of its own."""

    def write(*sources: str) -> Path:
        parameters = nbformat.v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        cells = [nbformat.v4.new_markdown_cell("# T"), parameters]
        cells.append(nbformat.v4.new_code_cell(OPENING))
        for number, source in enumerate(sources, start=1):
            cells.append(nbformat.v4.new_markdown_cell(f"### Check {number}"))
            cells.append(nbformat.v4.new_code_cell(source))
        front = {"name": "tried", "title": "Tried"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"runbook": front})
        path = tmp_path / "tried.ipynb"
        nbformat.write(notebook, path)
        return path

    return write


def run(notebook: Path, *, redactor: Redactor | None = None, parameters=None, **limits):
    folder = notebook.parent / "incidents"
    context = RunContext(
        incidents=folder, incident="INC-1", run="r1", notebook=notebook, actor="a", attended=False
    )
    return execute(
        Runbook.read(notebook),
        parameters=parameters or {},
        context=context,
        redactor=redactor or Redactor(),
        progress=_Silent(),
        **limits,
    )


def states(path: Path) -> list[str]:
    """Return the state of each code cell of the test's own; the copy must be valid."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell.metadata.papermill.status for cell in code[3:]]


def output(path: Path, step: int) -> str:
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return json.dumps(code[2 + step].outputs)


def lives(process: int) -> bool:
    """Tell whether a process runs; one that nobody has buried does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    try:
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def soon(condition, within: float = 5.0) -> bool:
    """Look again and again until the condition holds or time is up."""
    until, pause = time.monotonic() + within, threading.Event()
    while not (held := condition()) and time.monotonic() < until:
        pause.wait(0.02)
    return bool(held)


@pytest.fixture
def runner(tmp_path):
    """Return what starts a runner as a process of its own; what is left of it is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(notebook: Path, *, largest: int = 0) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", RUNNER, str(notebook), str(tmp_path / "in"), str(largest)]
        started.append(
            subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_whole_run_is_complete_and_leaves_the_notebook_alone(written):
    """The copy has outputs and the parameters; the notebook is only read."""
    notebook = written("incident.note(note)", "import os; print(os.environ['RUNBOOK_RUN'])")
    before = notebook.read_bytes()

    done = run(notebook, parameters={"note": 'q"\\n{x}'})

    assert (done.complete, done.reason, done.steps_run, done.steps_total) == (True, "", 1, 1)
    assert states(done.notebook) == ["completed", "completed"]
    assert json.dumps('q"\\n{x}\n') in output(done.notebook, 1)
    assert "r1" in output(done.notebook, 2)
    assert notebook.read_bytes() == before
    assert Runbook.read(done.notebook).digest == Runbook.read(notebook).digest


def test_an_error_ends_the_run_at_its_step(written):
    """The cells after it say that they were not run."""
    done = run(written("incident.note('a')", "incident.note(1 / 0)", "incident.note('b')"))

    assert (done.complete, done.reason) == (False, "ZeroDivisionError: division by zero")
    assert (done.steps_run, done.steps_total) == (2, 3)
    assert states(done.notebook) == ["completed", "failed", "not-run"]


def test_a_stop_is_a_clean_end(written):
    """This runbook does not apply: that is a result, not an error."""
    done = run(written("incident.stop('does not apply')", "incident.note('b')"))

    assert (done.complete, done.reason) == (True, "stopped: does not apply")
    assert done.stopped_at == "does not apply"
    assert states(done.notebook) == ["completed", "not-run"]
    assert '"error"' not in output(done.notebook, 1)


def test_a_wrong_parameter_starts_nothing(written):
    """No kernel, no copy, no folder."""
    notebook = written("incident.note('a')")

    with pytest.raises(ParameterError):
        run(notebook, parameters={"nonsense": "1"})

    assert not (notebook.parent / "incidents").exists()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_killed_kernel_is_seen_at_the_cell_it_died_in(written, number):
    """Out of memory, say: the record must not claim that the cell completed."""
    sources = ["print('before')"] * 3
    sources[number - 1] = "print('last words', flush=True)\nimport os; os.kill(os.getpid(), 9)"

    done = run(written(*sources))

    assert not done.complete
    assert done.reason == f"kernel died at step 'Check {number}' (ended by SIGKILL)"
    expected = ["completed"] * (number - 1) + ["failed"] + ["not-run"] * (3 - number)
    assert states(done.notebook) == expected
    assert "KernelDied" in output(done.notebook, number)


def test_a_kernel_that_cannot_start_says_why(written, monkeypatch):
    """The last line of what it wrote is the reason."""
    monkeypatch.setenv("PYTHONHOME", "/nowhere")

    done = run(written("incident.note('a')"))

    assert not done.complete
    assert done.reason.startswith("the kernel did not start: exit code 1")
    assert states(done.notebook) == ["not-run"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_all_that_it_started(written, runner, tmp_path, signum):
    """The copy tells which cell was cut off; no process is left."""
    told = tmp_path / "told"
    process = runner(written("print('done')", HANG.format(told=str(told)), "print('never')"))
    assert soon(told.exists, within=20)
    kernel_and_children = [int(word) for word in told.read_text().split()]

    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=10)

    done = json.loads(stdout)
    assert (done["complete"], done["reason"]) == (False, "interrupted")
    assert done["stopped_at"] == "Check 2"
    assert states(Path(done["notebook"])) == ["completed", "failed", "not-run"]
    assert "before the wait" in output(Path(done["notebook"]), 2)
    assert not [pid for pid in kernel_and_children if lives(pid)]
    assert "Traceback" not in stderr


def test_a_killed_runner_takes_the_kernel_and_its_children_along(written, runner, tmp_path):
    """Nobody is left to end them, except the keeper."""
    told = tmp_path / "told"
    process = runner(written("print('done')", HANG.format(told=str(told))))
    assert soon(told.exists, within=20)
    kernel_and_children = [int(word) for word in told.read_text().split()]
    saved = tmp_path / "in" / "INC-1" / "runs" / "r1.ipynb"
    # A cell is saved while the next one runs already, so the copy is a moment behind.
    assert soon(lambda: states(saved) == ["completed", "running"])

    process.kill()

    assert soon(lambda: not any(map(lives, kernel_and_children)), within=2)
    assert states(saved) == ["completed", "running"]


def test_a_step_that_takes_too_long_is_cut_off(written, tmp_path):
    """The rest of the run does not wait for ever."""
    told = tmp_path / "told"

    done = run(written(HANG.format(told=str(told)), "print('never')"), step_limit_s=1)

    assert not done.complete
    assert done.reason == "time limit: a step took longer than 1 s"
    assert states(done.notebook) == ["failed", "not-run"]
    assert not any(lives(int(word)) for word in told.read_text().split())


def test_a_run_that_takes_too_long_is_cut_off(written):
    """Steps that are quick one by one can still be too many."""
    wait = "import threading; threading.Event().wait(0.4)"

    done = run(written(*[wait] * 8), limit_s=1.5)

    assert done.reason == "time limit: the run took longer than 1.5 s"
    assert states(done.notebook)[-1] == "not-run"


def test_a_child_of_a_cell_does_not_outlive_a_whole_run(written, tmp_path):
    """What a cell left behind is not the machine's to keep."""
    told = tmp_path / "told"
    start = (
        "import subprocess, pathlib; child = subprocess.Popen(['sleep', '300'])\n"
        f"pathlib.Path({str(told)!r}).write_text(str(child.pid))"
    )

    done = run(written(start))

    assert done.complete
    assert not lives(int(told.read_text()))


def test_a_flood_of_output_is_cut(written):
    """5 MB of text are told as such, not kept."""
    flood = "import sys\nfor _ in range(5000): print('x' * 1000); print('!', file=sys.stderr)"
    # What a program writes past Python arrives when it arrives, before a print or after it.
    noise = "import os; os.write(1, os.urandom(100_000))"
    colour = "print('\\x1b[31m\\u202ered')"
    pages = "for _ in range(9): display({'text/html': 'y' * 300_000}, raw=True)"

    done = run(written(flood, noise, colour, pages, "print('after')"))

    assert done.complete
    assert done.notebook.stat().st_size < 1_500_000
    assert "more characters of output" in output(done.notebook, 1)
    assert "\\u27e8U+202E\\u27e9red" in output(done.notebook, 3)
    assert re.search(r"1,800,000 more characters of output", output(done.notebook, 4))
    assert "after" in output(done.notebook, 5)


def test_no_secret_reaches_the_copy(written):
    """Not by source, output of any kind, traceback, parameter or metadata."""
    secret, quoted = "correct-horse-battery", 'to"p\\secret value'
    notebook = written(
        f"incident.note({secret!r})",
        f"from IPython.display import HTML, JSON\ndisplay(HTML('<b>{secret}</b>'))\n"
        f"display({{'text/plain': '{secret}', 'text/x-odd': '{secret}'}}, raw=True)\n"
        f"display(JSON({{'a': ['{secret}']}}), metadata={{'m': '{secret}'}})",
        f"value = '{secret}'\nprint(value[:7], end='', flush=True)\nprint(value[7:])",
        "raise ValueError(f'password=hunter22 \\x1b[1m{value[:7]}\\x1b[0m{value[7:]}')",
    )

    done = run(notebook, redactor=Redactor([secret, quoted]), parameters={"note": quoted})

    text = done.notebook.read_text()
    assert done.reason.startswith("ValueError")
    assert not [word for word in (secret, "hunter22", "-horse-", "secret value") if word in text]
    assert secret not in done.reason
    assert "<b>[masked: known value]</b>" in text


def test_a_full_disk_keeps_the_last_good_copy(written, runner):
    """The run goes on, and says once that its copy does not."""
    process = runner(
        written(
            "print('small')",
            "import time; time.sleep(1.6)",
            "print('y' * 60_000)",
            "print('end')",
        ),
        largest=30_000,
    )

    stdout, stderr = process.communicate(timeout=30)

    done = json.loads(stdout)
    assert done["complete"]
    assert stderr.count("cannot be saved") == 1
    assert states(Path(done["notebook"])) == ["completed", "running", "not-run", "not-run"]
    assert list(Path(done["notebook"]).parent.iterdir()) == [Path(done["notebook"])]


def test_a_notebook_that_is_none_is_refused(written):
    """What cannot be read is not half run, and the display is put away."""
    notebook = written("incident.note('a')")
    runbook = Runbook.read(notebook)
    notebook.write_text("{}")
    heard: list[Execution] = []
    context = RunContext(
        incidents=notebook.parent / "in",
        incident="INC-1",
        run="r1",
        notebook=notebook,
        actor="a",
        attended=False,
    )

    with pytest.raises(ExecutionError, match=r"tried.ipynb could not be run"):
        execute(
            runbook, parameters={}, context=context, redactor=Redactor(), progress=_Silent(heard)
        )

    assert [execution.complete for execution in heard] == [False]


def test_a_caller_inside_an_event_loop_can_run_a_notebook(written):
    """A service that answers alerts may call it."""

    async def serve():
        return run(written("incident.note('a')"))

    assert asyncio.run(serve()).complete


def test_signals_are_given_back(written):
    """After a run, Ctrl-C is the caller's again."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)

    run(written("incident.note('a')"))

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


FORK = """\
import os
print("from the kernel", flush=True)
if not (child := os.fork()):
    print("from a fork", flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def test_what_a_forked_process_prints_is_in_the_copy(written):
    """It comes by a socket of the kernel's own; a port would be open to every user."""
    done = run(written(FORK, "incident.note('after')"))
    printed = json.dumps(nbformat.read(done.notebook, as_version=4).cells)

    assert done.complete
    assert "from a fork" in printed
