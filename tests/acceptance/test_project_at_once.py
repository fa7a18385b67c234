"""A project that was just made works at once, from a folder below, without the control plane."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from jupyter_client.blocking import BlockingKernelClient

pytestmark = [pytest.mark.slow, pytest.mark.slow]

Runbook = Callable[..., str]


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """The variables of the commands: none of ours, and a lab of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    return {**kept, "RUNBOOK_LAB": str(tmp_path / "lab")}


@pytest.fixture
def below(tmp_path: Path) -> Path:
    """A folder below that of the project."""
    return tmp_path / "new" / "notebooks" / "drills"


@pytest.fixture
def runbook(tmp_path: Path, own: dict[str, str], below: Path) -> Iterator[Runbook]:
    """Run the command in a folder below that of a new project; its lab is ended afterwards."""

    def run(*words: str, folder: Path = below, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "runbook_nb", *words],
            cwd=folder,
            env=own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("init", "new", folder=tmp_path)
    yield run
    run("lab", "down")


def test_a_new_project_is_lint_free_drilled_validated_and_run(runbook: Runbook, tmp_path: Path):
    """Its package is importable in the command and in the kernel, and incidents are its own."""
    assert "jobs.start_worker()" in runbook("calls")
    # Nothing but that no drill has proved it yet.
    assert runbook("lint", expect=1).count(" fresh warning: ") == 1
    assert "from work_queue.systems import jobs" in runbook("show", "queue_backlog")

    told = runbook("validate", "queue_backlog")
    assert "control and 1 fault" in told
    runbook("lint")

    told = runbook("run", "queue_backlog", "--incident", "INC-1")
    assert "Incident INC-1: pass." in told
    told += runbook("close", "INC-1", "--resolution", "It was a drill.")
    told += runbook("verify", "INC-1")
    assert (tmp_path / "new" / "incidents" / "INC-1" / "record.html").is_file()
    for word in ("composio", "supabase", "heartbeat", "#incidents", "shipped with"):
        assert word not in told.casefold()


@pytest.fixture
def server(runbook: Runbook, tmp_path: Path, own: dict[str, str], below: Path) -> Iterator[Path]:
    """JupyterLab as a responder's command starts it; gives its folder of runtime files."""
    words = ("open", "queue_backlog", "--incident", "INC-1", "--no-browser")
    process = subprocess.Popen(
        [sys.executable, "-m", "runbook_nb", *words],
        cwd=below,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert any("token=" in line for line in process.stderr)
    yield tmp_path / "new" / "incidents" / ".jupyterlab" / "runtime"
    process.terminate()
    process.communicate(timeout=30)


def test_the_kernel_of_a_working_copy_imports_the_package(server: Path):
    """JupyterLab was started below the project, and the kernel works in its incident's folder."""
    [told] = [json.loads(path.read_text()) for path in server.glob("jpserver-*.json")]
    copy = {"name": "queue_backlog.ipynb", "path": "INC-1/working/queue_backlog.ipynb"}
    session = {**copy, "type": "notebook", "kernel": {"name": "python3"}}
    headers = {"Authorization": f"token {told['token']}"}
    with httpx.Client(base_url=told["url"], headers=headers, trust_env=False) as http:
        begun = http.post("api/sessions", json=session, timeout=60).raise_for_status().json()
    client = BlockingKernelClient(
        connection_file=str(server / f"kernel-{begun['kernel']['id']}.json")
    )
    client.load_connection_file()
    client.hb_channel.time_to_dead = 30.0  # a busy machine beats late
    client.start_channels()
    client.wait_for_ready(timeout=60)
    shown: list[str] = []

    client.execute_interactive(
        "import os, work_queue; print(work_queue.PACK.name, os.getcwd())",
        output_hook=lambda message: shown.append(message["content"].get("text", "")),
        timeout=60,
    )

    client.stop_channels()
    folder = server.parents[1] / "INC-1" / "working"
    assert "".join(shown).split() == ["work_queue", str(folder)]
