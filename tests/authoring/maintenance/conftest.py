"""A folder with the heartbeat runbook and two of its drills."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from said_drills import NAME, SaidDrills

from runbook_nb.authoring.maintenance import Validator
from runbook_nb.runbook.pair import changed
from runbook_nb.testing import environ
from runbook_nb.text.files import write_all

MASTER = Path(__file__).parents[3] / "notebooks"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def never_validated(front: dict, _cells: list) -> None:
    """Take back what real drills have proven, so that each test begins alike."""
    front.update(last_validated="", validations=[])


@pytest.fixture
def notebooks(tmp_path: Path) -> Iterator[Path]:
    """Use a copy of the runbook, with the control and one fault, and no other."""
    folder = tmp_path / "notebooks"
    (folder / "drills").mkdir(parents=True)
    for suffix in (".md", ".ipynb"):
        shutil.copy(MASTER / f"{NAME}{suffix}", folder)
    for fault in ("none", "lag_decimal"):
        shutil.copy(MASTER / "drills" / f"{NAME}.{fault}.json", folder / "drills")
    write_all(changed(folder / f"{NAME}.md", never_validated))
    with environ(RUNBOOK_NOTEBOOKS=str(folder)):
        yield folder


@pytest.fixture
def validator(tmp_path: Path, notebooks: Path):
    """Make a validator on said drills."""

    def make(drills: SaidDrills) -> Validator:
        return Validator(
            incidents=tmp_path / "incidents",
            run_drill=drills,
            validator="sam",
            commit="commit abc1234",
            now=lambda: NOW,
        )

    return make
