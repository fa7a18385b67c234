"""A PostgreSQL of our own comes up, goes down and comes back, whatever was done to it."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from runbook_nb.errors import DatabaseServerError
from runbook_nb.timeline.store.embedded.binaries import binary
from runbook_nb.timeline.store.embedded.processes import command_of, identify
from runbook_nb.timeline.store.embedded.server import PostgresServer

pytestmark = pytest.mark.slow

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a server as another user")


def make_folder() -> Iterator[Path]:
    # pytest's own folders are closed to the server's account when root runs the tests.
    made = Path(tempfile.mkdtemp(prefix="server-"))
    made.chmod(0o711)
    yield made
    PostgresServer(made).stop()
    shutil.rmtree(made)


folder = pytest.fixture(make_folder, name="folder")
shared_folder = pytest.fixture(make_folder, scope="module", name="shared_folder")


@pytest.fixture
def server(shared_folder: Path) -> PostgresServer:
    started = PostgresServer(shared_folder)
    started.start()
    return started


def connect(server: PostgresServer) -> psycopg.Connection:
    return psycopg.connect(server.dsn(), autocommit=True)


def run_as_nobody(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in this Python, or in the system's if ours is below a private folder."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(FileNotFoundError, PermissionError):
            return subprocess.run(
                [python, "-c", script, folder],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
                env={"HOME": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
            )
    pytest.skip("user nobody can run no Python of this version")


def keep_a_row(server: PostgresServer) -> None:
    with connect(server) as connection:
        connection.execute("drop table if exists kept")
        connection.execute("create table kept (note text)")
        connection.execute("insert into kept values ('still here')")


def kept_rows(server: PostgresServer) -> list[tuple[str]]:
    with connect(server) as connection:
        return connection.execute("select note from kept").fetchall()


def test_what_it_confirms_outlives_a_fall_of_the_machine(server):
    """A store is not made anew at each start, as a lab is."""
    with connect(server) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute(f"show {name}".encode()).fetchone() == ("on",)


def test_a_wrong_password_is_refused(server):
    """Every user of the machine can reach the port, so the password must count."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn(password="guessed"))


def test_the_password_and_the_socket_are_open_to_one_account_alone(server):
    """Others on the machine can neither read the one nor enter the other."""
    password = server.folder / "secrets" / "postgres.password"
    socket_folder = server.folder / "postgres" / "socket"

    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
    assert list(socket_folder.glob(".s.PGSQL.*"))


@as_root
def test_for_root_the_server_runs_as_nobody(server):
    """PostgreSQL refuses to run as root."""
    assert Path("/proc", str(server.pid)).stat().st_uid == NOBODY


@as_root
def test_an_ordinary_user_starts_the_server_as_himself(folder):
    """No step needs root."""
    os.chown(folder, NOBODY, NOBODY)
    script = (
        "import sys; from pathlib import Path\n"
        "from runbook_nb.timeline.store.embedded.server import PostgresServer\n"
        "server = PostgresServer(Path(sys.argv[1])); server.start()\n"
        "import psycopg; psycopg.connect(server.dsn()).close()\n"
        "print(Path('/proc', str(server.pid)).stat().st_uid); server.stop()\n"
    )
    done = run_as_nobody(script, folder)

    assert done.stdout.strip() == str(NOBODY), done.stderr


def test_rows_and_port_survive_a_restart(server):
    """Clients know the port, and a restart is not a loss."""
    keep_a_row(server)
    port = server.port

    server.stop()
    server.start()

    assert kept_rows(server) == [("still here",)]
    assert server.port == port


def test_start_on_a_running_server_changes_nothing(server):
    """Starting is safe to repeat."""
    pid = server.pid
    server.start()

    assert server.pid == pid


def test_a_killed_server_starts_again_with_its_rows(server):
    """SIGKILL leaves the lock file behind."""
    keep_a_row(server)
    killed = server.pid
    os.kill(killed, signal.SIGKILL)

    server.start()

    assert server.pid != killed
    assert kept_rows(server) == [("still here",)]


def test_a_session_that_outlived_its_server_is_ended_by_the_next_start(server):
    """It holds the shared memory, without which no server of these data starts."""
    with psycopg.connect(server.dsn()) as connection:
        session = connection.info.backend_pid
        os.kill(session, signal.SIGSTOP)
        os.kill(server.pid, signal.SIGKILL)

        server.start()

        assert server.running
        assert identify(session) is None
        connection.close()


def test_a_lock_file_that_names_another_process_is_stale(server):
    """Pids are reused: that process is not ours, and is left alone."""
    bystander = identify(os.getpid())
    server.stop()
    lock = server.folder / "postgres" / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n1\n5432\n\n127.0.0.1\n\nready   \n")

    assert not server.running
    server.start()

    assert server.running
    assert identify(os.getpid()) == bystander


def test_a_halted_server_does_not_count_as_running(server):
    """It takes connections and answers none."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        assert not server.running
    finally:
        os.kill(server.pid, signal.SIGCONT)


def test_a_halted_server_can_be_stopped(server):
    """A fault that halts the database must not outlive the lab."""
    halted = server.pid
    os.kill(halted, signal.SIGSTOP)
    server.stop()

    assert identify(halted) is None


def test_stop_cuts_off_clients_and_leaves_no_process(server):
    """A stopped lab costs nothing."""
    with psycopg.connect(server.dsn()) as connection:
        pids = [server.pid, connection.info.backend_pid]
        server.stop()
        connection.close()

    assert [identify(pid) for pid in pids] == [None, None]


def test_stop_of_a_stopped_server_changes_nothing(server):
    """Stopping is safe to repeat."""
    server.stop()
    server.stop()

    assert not server.running


def test_a_stopped_server_has_no_port(server):
    """The error says how to get one."""
    server.stop()

    with pytest.raises(DatabaseServerError, match="runbook serve"):
        _ = server.port


def test_two_servers_run_side_by_side(server):
    """Two on one machine do not meet."""
    other_folder = Path(tempfile.mkdtemp(prefix="server-"))
    other_folder.chmod(0o711)
    other = PostgresServer(other_folder)
    try:
        other.start()
        keep_a_row(server)
        server.stop()

        assert other.running
        with connect(other) as connection:
            assert connection.execute("select to_regclass('kept')").fetchone() == (None,)
    finally:
        other.stop()
        shutil.rmtree(other_folder)


def test_two_starts_at_once_give_one_server(folder):
    """The second waits for the first."""
    script = (
        "import sys; from pathlib import Path\n"
        "from runbook_nb.timeline.store.embedded.server import PostgresServer\n"
        "server = PostgresServer(Path(sys.argv[1])); server.start(); print(server.pid)\n"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    pids = {start.communicate()[0].strip() for start in starts}

    assert pids == {str(PostgresServer(folder).pid)}


def test_a_port_that_was_taken_meanwhile_is_replaced(server):
    """The last port is a wish, not a need."""
    port = server.port
    server.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        server.start()

    assert server.port != port


def test_a_path_too_long_for_a_socket_leaves_tcp(folder):
    """Unix sockets allow about a hundred bytes."""
    deep = folder / ("deep" * 25)
    server = PostgresServer(deep)
    server.start()
    try:
        assert not list((deep / "postgres" / "socket").iterdir())
        keep_a_row(server)
    finally:
        server.stop()


def test_discarded_rows_are_gone_at_the_next_start(server):
    """The next start begins afresh."""
    keep_a_row(server)
    server.stop()
    server.discard()
    server.start()

    with connect(server) as connection:
        assert connection.execute("select to_regclass('kept')").fetchone() == (None,)


def test_rows_of_a_running_server_are_not_discarded(server):
    """Deleting files below a server breaks it in ways no fault means."""
    with pytest.raises(DatabaseServerError, match="stop it"):
        server.discard()


@as_root
def test_programs_below_a_private_folder_are_copied_for_nobody(folder):
    """A virtual environment below /root stays closed, and the server works nevertheless."""
    private = Path(tempfile.mkdtemp(prefix="private-"))
    package = binary("postgres").parents[2]
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, private / name)
    script = (
        "import sys; from pathlib import Path\n"
        "from runbook_nb.timeline.store.embedded.server import PostgresServer\n"
        "PostgresServer(Path(sys.argv[1])).start()\n"
    )
    try:
        subprocess.run(
            [sys.executable, "-c", script, folder],
            env={**os.environ, "PYTHONPATH": str(private)},
            check=True,
        )
        server = PostgresServer(folder)

        assert command_of(server.pid).startswith(str(folder / "binaries"))
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    finally:
        shutil.rmtree(private)


@as_root
def test_a_folder_that_nobody_may_enter_is_named_with_the_way_out(folder):
    """We open no folder that is not ours."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(DatabaseServerError, match=rf"{closed}.*XDG_DATA_HOME"):
        PostgresServer(closed / "store").start()


@as_root
def test_a_full_disk_is_said_and_leaves_nothing_half_made(folder):
    """The next start, with space, works."""
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=711", "tmpfs", small], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(DatabaseServerError, match="No space left"):
            PostgresServer(small).start()

        assert not (small / "postgres" / "data").exists()
    finally:
        subprocess.run(["umount", small], check=True)
