"""The command with the lab running, and runbooks of the tests' own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command import Command

from runbook_nb.packs.control_plane.lab.lab import LabState


@pytest.fixture
def runbook(lab: LabState, tmp_path: Path) -> Command:
    """Give the command, with the lab running."""
    return Command(tmp_path)


@pytest.fixture
def with_notebooks(runbook: Command) -> Callable[[str, str], None]:
    """Write a runbook of the test's own where the command looks for it."""

    def write(name: str, markdown: str) -> None:
        from runbook_nb.runbook.pair import write as write_pair

        folder = runbook.folder / "notebooks"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text(markdown, encoding="utf-8")
        write_pair(folder / f"{name}.md")
        runbook.environ["RUNBOOK_NOTEBOOKS"] = str(folder)

    return write
