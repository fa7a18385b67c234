"""What tests of the archive share: a folder of incidents with records, and the built site."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook_nb.record.page import write_record
from runbook_nb.record.proof import Seal, signing_seal
from runbook_nb.record.site import Built, build
from story import cut_off, healthy, heartbeat


@pytest.fixture
def seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seal]:
    """Seal with a key of this test, which is known here."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("RUNBOOK_SIGNING_KEY", raising=False)
    return signing_seal()


@pytest.fixture
def incidents(tmp_path: Path, seal: Seal) -> Path:
    """Two closed incidents with their records, and an open one."""
    folder = tmp_path / "incidents"
    heartbeat(folder / "INC-2001")
    healthy(folder / "INC-2002")
    cut_off(folder / "INC-2003")
    for name in ("INC-2001", "INC-2002"):
        write_record(folder / name, seal=seal)
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where the archive goes."""
    return tmp_path / "site"


@pytest.fixture
def built(incidents: Path, site: Path) -> Callable[[], Built]:
    """Build the archive, again and again."""
    return lambda: build(incidents, site)
