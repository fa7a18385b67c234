"""The lab comes up whole, once, on fresh rows, and goes down without a trace."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.lab import Lab
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.processes import commands, identify, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.slow]

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")


def make_lab() -> Iterator[Lab]:
    # pytest's own folders are closed to the server's account when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    made = Lab(folder / "lab")
    folder.chmod(0o711)
    yield made
    made.down()
    shutil.rmtree(folder)


fresh_lab = pytest.fixture(make_lab, name="fresh_lab")
shared_lab = pytest.fixture(make_lab, scope="module", name="shared_lab")


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    shared_lab.up()
    return shared_lab


def processes(lab: Lab) -> list[int]:
    """List the database server and the services, which have the folder in their command."""
    return [pid for pid, command in commands().items() if str(lab.folder) in command]


def agent_pid(lab: Lab) -> int:
    (recorded,) = (lab.folder / "agents").glob("*.json")
    return json.loads(recorded.read_text())["pid"]


def environment(lab: Lab) -> dict[str, dict[str, str]]:
    return tomllib.loads((lab.folder / "environment.toml").read_text())["environments"]["lab"]


def secret_of(reference: str) -> str:
    return Path(reference.removeprefix("file:")).read_text()


def parts_down(state: LabState | None) -> set[str]:
    assert state is not None
    return {part.name for part in state.parts if not part.up}


def test_a_lab_that_was_never_started_has_no_state(fresh_lab):
    """Looking makes nothing."""
    assert fresh_lab.status() is None
    assert not fresh_lab.folder.exists()


def test_every_part_of_a_started_lab_is_up(lab):
    """The state is looked at, not remembered."""
    assert lab.status().healthy


def test_up_of_a_running_lab_returns_the_same_lab(lab):
    """Starting is safe to repeat."""
    assert lab.up() == lab.up()


def test_each_step_is_told_in_words(fresh_lab):
    """A person waits for it."""
    steps: list[str] = []
    fresh_lab.up(progress=steps.append)

    assert steps[0] == "Starting PostgreSQL"
    assert steps[-1] == "Starting the agent, the pages, the partners and eight browsers"
    assert len(steps) >= 3


def test_the_core_finds_the_database_through_the_environment_file(lab):
    """The reader reads the platform's rows, and may write none."""
    with psycopg.connect(secret_of(environment(lab)["database"]["reader"])) as connection:
        assert connection.execute("select count(*) from missions").fetchone() > (0,)
        connection.rollback()
        connection.execute("set default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from telemetry_events")


def test_the_secrets_are_open_to_their_owner_alone(lab):
    """Every user of the machine may enter the lab's folder."""
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (lab.folder / "secrets").iterdir()}

    assert modes == {0o600}
    assert stat.S_IMODE((lab.folder / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE(lab.folder.stat().st_mode) == 0o711


def test_no_password_is_in_the_logs_or_statistics_of_the_server(lab):
    """A probe that lists statements must not show one."""
    password = lab.secret("runbook_reader.password")
    with psycopg.connect(lab.dsn()) as connection:
        connection.execute("create extension if not exists pg_stat_statements")
        seen = connection.execute(
            "select count(*) from pg_stat_statements where strpos(query, %s) > 0", (password,)
        ).fetchone()
        connection.rollback()

    assert seen == (0,)
    assert password not in lab.postgres.log.read_text()


def test_two_ups_at_once_give_one_lab(fresh_lab):
    """The second waits for the first."""
    script = (
        "import sys; from pathlib import Path\n"
        "from runbook_nb.packs.control_plane.lab.lab import Lab\n"
        "print(Lab(Path(sys.argv[1])).up().services_pid)\n"
    )
    ups = [
        subprocess.Popen(
            [sys.executable, "-c", script, fresh_lab.folder], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    pids = {up.communicate()[0].strip() for up in ups}

    assert pids == {str(fresh_lab.status().services_pid)}


def test_a_lab_that_is_down_has_left_no_process_no_rows_and_no_secret(fresh_lab):
    """A stopped lab costs nothing and tells nothing."""
    fresh_lab.up()
    agent = agent_pid(fresh_lab)
    fresh_lab.down()

    assert fresh_lab.status() is None
    assert processes(fresh_lab) == []
    assert identify(agent) is None
    assert not (fresh_lab.folder / "postgres" / "data").exists()
    assert not (fresh_lab.folder / "secrets").exists()
    assert not (fresh_lab.folder / "environment.toml").exists()


def test_down_is_safe_to_repeat(fresh_lab):
    """There is nothing left to end."""
    fresh_lab.down()
    fresh_lab.up()
    fresh_lab.down()
    fresh_lab.down()

    assert fresh_lab.status() is None


def test_a_stopped_lab_starts_on_fresh_rows(lab):
    """What a drill changed is gone."""
    with psycopg.connect(lab.dsn()) as connection:
        connection.execute("create table left_by_a_drill ()")
    lab.down()
    lab.up()

    with psycopg.connect(lab.dsn()) as connection:
        left = connection.execute("select to_regclass('left_by_a_drill')").fetchone()
    assert left == (None,)


@pytest.mark.parametrize(
    ("kills", "down"),
    [
        pytest.param([agent_pid], {"agent"}, id="agent"),
        pytest.param([lambda lab: lab.postgres.pid], {"postgres"}, id="postgres"),
        pytest.param([lambda lab: lab.status().services_pid], {"services"}, id="services"),
        pytest.param(
            [agent_pid, lambda lab: lab.postgres.pid, lambda lab: lab.status().services_pid],
            {"agent", "postgres", "services"},
            id="everything",
        ),
    ],
)
def test_a_half_dead_lab_is_said_to_be_so_and_comes_up_whole(
    lab: Lab, kills: list[Callable[[Lab], int]], down: set[str]
):
    """Whatever was killed, nothing of the old lab runs beside the new one."""
    old = [*processes(lab), agent_pid(lab)]
    for pid in [find(lab) for find in kills]:
        os.kill(pid, signal.SIGKILL)

    assert wait_until(lambda: parts_down(lab.status()) >= down, within_s=30)
    assert lab.up().healthy
    assert [pid for pid in old if identify(pid) is not None] == []


def test_a_hung_agent_runs_but_is_not_up(lab):
    """Its process is there, and answers nothing."""
    os.kill(agent_pid(lab), signal.SIGSTOP)
    try:
        agent = next(part for part in lab.status().parts if part.name == "agent")
        assert (agent.running, agent.answers, agent.up) == (True, False, False)
    finally:
        os.kill(agent_pid(lab), signal.SIGCONT)


def test_a_lab_whose_folder_was_deleted_is_ended_by_the_next_up(fresh_lab):
    """Temporary folders get cleaned, while processes stay."""
    fresh_lab.up()
    old = processes(fresh_lab)
    # The server goes on writing: what it makes in a folder that is being removed keeps that folder.
    while fresh_lab.folder.exists():
        shutil.rmtree(fresh_lab.folder, ignore_errors=True)

    assert fresh_lab.up().healthy
    assert [pid for pid in old if identify(pid) is not None] == []


@as_root
def test_a_folder_of_another_user_is_refused(fresh_lab):
    """A folder with a name that can be guessed may be a trap."""
    fresh_lab.folder.mkdir()
    os.chown(fresh_lab.folder, NOBODY, NOBODY)

    with pytest.raises(LabError, match="belongs to user 65534"):
        fresh_lab.up()
    fresh_lab.folder.rmdir()


def test_a_folder_with_other_things_in_it_is_refused(fresh_lab):
    """A home directory is not a lab."""
    fresh_lab.folder.mkdir()
    letter = fresh_lab.folder / "letter.txt"
    letter.touch()

    with pytest.raises(LabError, match="neither empty nor a lab"):
        fresh_lab.up()
    letter.unlink()


def test_services_that_cannot_start_are_told_with_their_last_words(fresh_lab, tmp_path):
    """A broken installation is said to be so, and the database does not stay behind."""
    (tmp_path / "uvicorn").mkdir()
    (tmp_path / "uvicorn" / "__init__.py").write_text("raise ImportError('half installed')")
    script = (
        "import sys; from pathlib import Path\n"
        "from runbook_nb.packs.control_plane.lab.lab import Lab\n"
    )
    up = subprocess.run(
        [sys.executable, "-c", script + "Lab(Path(sys.argv[1])).up()", fresh_lab.folder],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "LabError" in up.stderr
    assert "ImportError: half installed" in up.stderr
    assert not fresh_lab.postgres.running
    assert fresh_lab.status() is None
