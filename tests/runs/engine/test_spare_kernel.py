"""A kernel that waited for its run is, for the run, as one that was started for it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from runbook_nb.incident.context import RunContext
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine import execute
from runbook_nb.runs.engine.kernel import Kernel
from runbook_nb.runs.engine.spare_kernel import SpareKernel
from runbook_nb.testing import runbook_cells

# All by which a notebook could tell how its kernel came to be.
LOOK = """
import json as _json, os as _os, resource as _resource, signal as _signal, sys as _sys
print(_json.dumps({
    "environ": dict(_os.environ),
    "folder": _os.getcwd(),
    "path": _sys.path,
    "arguments": [_os.path.basename(word) for word in _sys.argv],
    "flags": str(_sys.flags),
    "names": sorted(name for name in globals() if not name.startswith("_")),
    "input": _os.readlink("/proc/self/fd/0"),
    "umask": _os.popen("umask").read(),
    "leader": _os.getsid(0) == _os.getpid(),
    "signals": [str(_signal.getsignal(each)) for each in (2, 15, 1)][1:],
    "files": _resource.getrlimit(_resource.RLIMIT_NOFILE),
}))
"""
SERIES = """\
import sys
from pathlib import Path
from runbook_nb.runs.engine.spare_kernel import SpareKernel
import os, threading
ready = SpareKernel()
kernel = ready.take(dict(os.environ))
print(kernel.pid, ready._waiting.pid, flush=True)
if sys.argv[1] == "waits":
    threading.Event().wait(60)
"""


class _Silent:
    """Progress that nobody watches."""

    def __getattr__(self, name: str) -> object:
        return lambda *_, **__: None


@pytest.fixture
def ready() -> Iterator[SpareKernel]:
    with SpareKernel() as kernels:
        yield kernels


@pytest.fixture
def seen(tmp_path: Path):
    """Run a notebook that looks at its kernel and return what it saw."""
    path = tmp_path / "trial.ipynb"
    content = runbook_cells(checks=(), options=(), actions=())
    for cell in content["cells"]:
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", ()):
            cell["source"] = "pass"
    look = {"cell_type": "code", "source": LOOK, "metadata": {}, "outputs": []}
    content["cells"].append({**look, "execution_count": None, "id": "look"})
    path.write_text(json.dumps(content), encoding="utf-8")

    def run(name: str, ready: SpareKernel | None = None) -> dict:
        context = RunContext(
            incidents=tmp_path / "incidents",
            incident="INC-1",
            run=name,
            notebook=path,
            actor="sam",
            attended=False,
        )
        done = execute(
            Runbook.read(path),
            parameters={},
            context=context,
            redactor=Redactor(),
            progress=_Silent(),
            ready=ready,
        )
        assert done.complete, done.reason
        return json.loads(nbformat.read(done.notebook, as_version=4).cells[-1].outputs[0].text)

    return run


def lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def soon(condition) -> bool:
    until, pause = time.monotonic() + 10, threading.Event()
    while not (held := condition()) and time.monotonic() < until:
        pause.wait(0.02)
    return bool(held)


def waiting_of(ready: SpareKernel) -> Kernel:
    assert ready._waiting is not None
    return ready._waiting


def test_a_notebook_cannot_tell_that_its_kernel_waited(ready, seen, tmp_path, monkeypatch):
    """Variables, folder, path, names, input and signals are those of a kernel started for it."""
    monkeypatch.setenv("RUNBOOK_OF_BEFORE", "left behind")
    seen("first", ready)
    waiting = waiting_of(ready).pid
    monkeypatch.delenv("RUNBOOK_OF_BEFORE")
    monkeypatch.setenv("RUNBOOK_LAB", "another lab")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    warm, cold = seen("second", ready), seen("third")

    assert waiting_of(ready).pid != waiting
    assert not lives(waiting)
    assert warm["environ"].pop("RUNBOOK_RUN") == "second"
    assert cold["environ"].pop("RUNBOOK_RUN") == "third"
    for each in (warm, cold):
        each["arguments"] = [word for word in each["arguments"] if not word.endswith(".json")]
    assert warm == cold


def test_a_kernel_that_waits_knows_nothing_of_a_run(ready, seen, monkeypatch):
    """What it has not been told it cannot carry from one run to another."""
    monkeypatch.setenv("RUNBOOK_LAB", "the lab of this run")
    seen("first", ready)
    known = Path(f"/proc/{waiting_of(ready).pid}/environ").read_bytes()

    assert b"RUNBOOK_" not in known


def test_each_run_has_a_kernel_of_its_own(ready):
    """A kernel that served one run is never handed to another."""
    with ready.take(dict(os.environ)) as first:
        pass
    with ready.take(dict(os.environ)) as second, ready.take(dict(os.environ)) as third:
        pids = {first.pid, second.pid, third.pid, waiting_of(ready).pid}

    assert len(pids) == 4


def test_another_environment_gets_a_kernel_started_in_it(ready, seen, monkeypatch):
    """An interpreter and its libraries may have read a variable when they were loaded."""
    seen("first", ready)
    unfit = waiting_of(ready).pid
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert seen("second", ready)["environ"]["TZ"] == "Asia/Tokyo"
    assert not lives(unfit)


def test_a_kernel_that_died_while_it_waited_costs_no_run(ready, seen):
    """The run starts its own."""
    seen("first", ready)
    os.kill(waiting_of(ready).pid, signal.SIGKILL)
    assert soon(lambda: not waiting_of(ready).alive())

    assert seen("second", ready)["environ"]["RUNBOOK_RUN"] == "second"


def test_a_series_leaves_no_kernel_behind(seen):
    """The last one that waited ends with the series."""
    with SpareKernel() as ready:
        seen("first", ready)
        waiting = waiting_of(ready).pid
        assert lives(waiting)

    assert not lives(waiting)


@pytest.mark.parametrize("end", ["ends", "waits"])
def test_whatever_ends_the_process_no_kernel_outlives_it(end):
    """It may be killed, or forget to close the series."""
    series = subprocess.Popen(
        [sys.executable, "-c", SERIES, end], stdout=subprocess.PIPE, text=True
    )
    assert series.stdout is not None
    kernels = [int(word) for word in series.stdout.readline().split()]
    assert len(kernels) == 2
    if end == "waits":
        assert all(map(lives, kernels))
        series.kill()
    series.wait(timeout=20)
    series.stdout.close()

    assert soon(lambda: not any(map(lives, kernels)))


@pytest.mark.parametrize("waits", [False, True])
def test_a_kernel_listens_on_no_port(waits):
    """Any user of the machine could connect to one."""
    import psutil

    with Kernel(dict(os.environ), waits=waits) as kernel:
        if waits:
            kernel.hand_over(dict(os.environ))
        assert soon(kernel.listening)
        connections = psutil.Process(kernel.pid).net_connections("inet")

    assert connections == []
