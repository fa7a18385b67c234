"""The command as a user types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

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
            # A kernel gets the variables that the settings of its environment refer to.
            "RUNBOOK_ENVIRONMENTS__LAB__TRIAL__TOKEN": "env:TRIAL_TOKEN",
            "RUNBOOK_ENVIRONMENTS__LAB__TRIAL__KEY": "env:TRIAL_API_KEY",
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
