"""A folder with one good runbook, and a system that no runbook should call."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from broken import BAD

import runbook_nb.packs.control_plane.systems
from runbook_nb.probes.calls import Systems, action
from runbook_nb.runbook import pair


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a runbook that lint finds nothing wrong with."""
    shutil.copytree(BAD, tmp_path, dirs_exist_ok=True)
    pair.write(tmp_path / "trial.md")
    return tmp_path


@pytest.fixture
def unrehearsed() -> Iterator[None]:
    """A system whose action has no rehearsal and no undo; no shipped one is so bad."""

    def change(systems: Systems) -> None:
        """Change something."""

    name = "runbook_nb.packs.control_plane.systems.unrehearsed"
    system = ModuleType(name)
    system.change = action()(change)
    sys.modules[name] = system
    yield
    del sys.modules[name]
    vars(runbook_nb.packs.control_plane.systems).pop("unrehearsed", None)
