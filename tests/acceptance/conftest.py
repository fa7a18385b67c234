"""The command as a user types it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook_nb.lab.lab import LabState

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]


class Command:
    """The command ``runbook`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incidents = folder / "incidents"
        self.environ = {
            **os.environ,
            "RUNBOOK_INCIDENTS": str(self.incidents),
            "RUNBOOK_ACTOR": "sam",
            "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command; its output is read by who waits for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "runbook_nb", *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, expect: int | None = 0) -> str:
        """Run the command to its end and return what it printed; both streams."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=240)
        assert expect is None or process.returncode == expect, out + err
        return out + err

    def events(self, incident: str) -> list[dict[str, object]]:
        """Return the complete lines of a timeline, as they are on disk."""
        path = self.incidents / incident / "timeline.jsonl"
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def runbook(lab: LabState, tmp_path: Path) -> Command:
    """Give the command, with the lab running."""
    return Command(tmp_path)


@pytest.fixture
def with_notebooks(runbook: Command) -> Callable[[str, str], None]:
    """Write a runbook of the test's own where the command looks for it."""

    def write(name: str, markdown: str) -> None:
        from runbook_nb.pairs import write as write_pair

        folder = runbook.folder / "notebooks"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text(markdown, encoding="utf-8")
        write_pair(folder / f"{name}.md")
        runbook.environ["RUNBOOK_NOTEBOOKS"] = str(folder)

    return write
