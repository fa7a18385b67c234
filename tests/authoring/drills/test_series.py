"""Which drill a newcomer begins with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import runbook_nb.runbook.packs
from runbook_nb.authoring.drills import first_drill
from runbook_nb.runbook.drill import Drill

DRILLS = [
    Drill.at(Path(f"cold_store.{fault}.json")) for fault in ("door_open", "none", "warm_cell")
]


@pytest.fixture
def naming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A project whose pack names a drill to begin with."""
    (tmp_path / "cold.py").write_text(
        "from runbook_nb import Pack\n"
        "PACK = Pack(name='cold', about='', first_drill='cold_store.warm_cell')\n"
    )
    (tmp_path / "runbook.toml").write_text('packs = ["cold:PACK"]\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield
    runbook_nb.runbook.packs._loaded.cache_clear()


def test_the_first_drill_is_the_one_that_a_pack_names(naming):
    """Only who knows the platform knows its plainest failure."""
    assert first_drill(DRILLS).fault == "warm_cell"


def test_without_one_it_is_the_first_that_breaks_something(tmp_path, monkeypatch):
    """A control shows a newcomer nothing."""
    (tmp_path / "runbook.toml").write_text("packs = []\n")
    monkeypatch.chdir(tmp_path)

    assert first_drill([DRILLS[1], DRILLS[0]]).fault == "door_open"
