"""A project that was just made works at once, from a folder below, without the control plane."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Runbook = Callable[..., str]


@pytest.fixture
def runbook(tmp_path: Path) -> Iterator[Runbook]:
    """Run the command in a folder below that of a new project; its lab is ended afterwards."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("RUNBOOK_")}
    own["RUNBOOK_LAB"] = str(tmp_path / "lab")
    below = tmp_path / "new" / "notebooks" / "drills"

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
    told += runbook("open", "queue_backlog", "--incident", "INC-1", "--no-start")
    told += runbook("close", "INC-1", "--resolution", "It was a drill.")
    told += runbook("verify", "INC-1")
    assert (tmp_path / "new" / "incidents" / "INC-1" / "record.html").is_file()
    for word in ("composio", "supabase", "heartbeat", "#incidents", "shipped with"):
        assert word not in told.casefold()
