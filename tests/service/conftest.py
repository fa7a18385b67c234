"""A team with a store, and its service."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running_service import RUNBOOK, SERVICE, TOKEN, Service, Team

from runbook_nb.authoring.scaffold.new_project import begin_project
from store_server import empty, server, store

__all__ = ["empty", "server", "store"]


@pytest.fixture
def team(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """Begin a project that has a store, and stand in it."""
    begin_project(tmp_path, now=datetime.now(UTC))
    file = tmp_path / "runbook.toml"
    # Most tests start a service for one question, and none has to wait ready for the next.
    file.write_text(file.read_text() + SERVICE.replace("[serve]\n", "[serve]\ncold = true\n"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUNBOOK_STORE", store)
    monkeypatch.setenv("AM_SECRET", TOKEN)
    monkeypatch.setenv("RUNBOOK_LAB", str(tmp_path / "lab"))
    monkeypatch.delenv("RUNBOOK_INCIDENTS", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    return Team(root=tmp_path, dsn=store)


@pytest.fixture
def token() -> str:
    """Give what Alertmanager and we know."""
    return TOKEN


@pytest.fixture
def service(team: Team, token: str) -> Iterator[Service]:
    """Serve on a port of its own."""
    own = Service(team, token, "--port", "0")
    yield own
    if own.process.poll() is None:
        own.end()


@pytest.fixture
def signed(team: Team, token: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Serve where each yes is signed, beside a lab whose only worker is gone."""
    monkeypatch.setenv("RUNBOOK_ENVIRONMENTS__LAB__APPROVE", "signed")

    def runbook(*words: str) -> None:
        typed = [*RUNBOOK, *words]
        done = subprocess.run(typed, cwd=team.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    runbook("lab", "up")
    runbook("lab", "inject", "worker_gone")
    own = Service(team, token, "--port", "0")
    own.url = own.url.replace("127.0.0.1", "localhost")
    yield own
    own.end()
    runbook("lab", "down")


@pytest.fixture
def warm(team: Team) -> Team:
    """Have processes wait ready, as they do by default."""
    file = team.root / "runbook.toml"
    file.write_text(file.read_text().replace("cold = true\n", ""))
    return team
