"""A real PostgreSQL for the service's tests, with a database of its own for each."""

import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from running_service import RUNBOOK, SERVICE, TOKEN, Service, Team

from runbook_nb.authoring.scaffold.new_project import begin_project
from runbook_nb.packs.control_plane.lab.postgres import PostgresServer
from runbook_nb.service.database import migrate


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """Start a server that the tests of a process share."""
    with tempfile.TemporaryDirectory(prefix="runbook-store-") as folder:
        Path(folder).chmod(0o711)
        own = PostgresServer(Path(folder) / "server")
        own.start()
        yield own
        own.stop()


@pytest.fixture
def empty(server: PostgresServer) -> Iterator[str]:
    """Give the address of an empty database."""
    name = f"store_{secrets.token_hex(4)}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield server.dsn(database=name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def store(empty: str) -> str:
    """Give the address of a database with the service's schema."""
    migrate(empty)
    return empty


@pytest.fixture
def team(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """Begin a project that has a store, and stand in it."""
    begin_project(tmp_path, now=datetime.now(UTC))
    file = tmp_path / "runbook.toml"
    file.write_text(file.read_text() + SERVICE)
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
