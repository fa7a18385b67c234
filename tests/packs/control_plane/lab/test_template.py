"""A lab begins with a copy of weeks of missions, and nobody can tell it from one that was built."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from runbook_nb.packs.control_plane.lab.database import start_database
from runbook_nb.packs.control_plane.lab.environment import write_secrets
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.timeline.store.embedded.binaries import binary

pytestmark = [pytest.mark.lab, pytest.mark.slow]

NOW = datetime(2026, 11, 24, 14, 7, 31, tzinfo=UTC)
BUILT = "Building the platform's tables, policies, views and jobs"
COPIED = "Writing what runs now to a copy of weeks of missions"

Start = Callable[..., tuple[LabPostgres, str]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the templates of a test apart from the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "runbook" / "labs"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start database servers in folders of their own, and end them."""
    servers: list[LabPostgres] = []

    def start(*, now: datetime = NOW) -> tuple[LabPostgres, str]:
        folder = Path(tempfile.mkdtemp(prefix="lab-"))
        folder.chmod(0o711)
        servers.append(LabPostgres(folder))
        steps: list[str] = []
        start_database(servers[-1], progress=steps.append, now=lambda: now)
        return servers[-1], BUILT if BUILT in steps else COPIED

    yield start
    for server in servers:
        server.stop()
        shutil.rmtree(server.folder)


def tables(server: LabPostgres) -> dict[str, list[str]]:
    """Return all rows but those that the schema stamped when it was applied."""
    found = {}
    with psycopg.connect(server.dsn()) as connection:
        names = connection.execute(
            "select relnamespace::regnamespace::text, relname from pg_class"
            " where relnamespace::regnamespace::text in ('public', 'cron', 'auth')"
            " and relkind in ('r', 'm') and relname not in ('tenants', 'personas')"
        ).fetchall()
        for schema, name in names:
            rows = sql.SQL("select r::text from {} as r order by 1").format(
                sql.Identifier(schema, name)
            )
            found[name] = [row for (row,) in connection.execute(rows).fetchall()]
    return found


def structure(server: LabPostgres) -> list[str]:
    """Return what pg_dump says of everything but the rows."""
    done = subprocess.run(
        [binary("pg_dump"), "--schema-only", server.dsn()],
        capture_output=True,
        text=True,
        check=True,
    )
    # Each dump has a word of its own in its first and last line.
    return [line for line in done.stdout.splitlines() if "restrict" not in line]


def test_the_next_lab_begins_with_a_copy(start: Start) -> None:
    """Its rows, relations, policies, grants and jobs are those of one that was built."""
    built, how_built = start()
    copied, how_copied = start()

    assert (how_built, how_copied) == (BUILT, COPIED)
    assert tables(copied) == tables(built)
    assert structure(copied) == structure(built)


def test_the_copy_has_passwords_and_settings_of_its_own(start: Start) -> None:
    """What one lab knows opens no other one, and its log goes to its own archive."""
    built, _ = start()
    copied, _ = start()
    theirs = (built.folder / "secrets" / "postgres.password").read_text()

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(copied.dsn(password=theirs))
    write_secrets(copied)
    reader = (copied.folder / "secrets" / "reader.dsn").read_text()
    with psycopg.connect(reader, autocommit=True) as connection:
        archived = connection.execute("show archive_command").fetchone()
    assert str(copied.folder) in str(archived)


def test_another_quarter_of_an_hour_has_another_past(start: Start) -> None:
    """Rows keep their distance from now."""
    start()

    assert start(now=NOW + timedelta(minutes=8))[1] == BUILT


@pytest.mark.parametrize("harm", ["a file is cut", "a page is spoilt", "a file is gone"])
def test_a_damaged_template_is_made_anew(start: Start, cache: Path, harm: str) -> None:
    """The lab that meets it is built instead, and the next one copies again."""
    built, _ = start()
    with psycopg.connect(built.dsn()) as connection:
        (file,) = connection.execute("select pg_relation_filepath('missions')").fetchone() or ("",)
    (template,) = cache.iterdir()
    heap = template / "data" / file
    if harm == "a file is gone":
        heap.unlink()
    else:
        content = heap.read_bytes()
        spoilt = content[:9000] + bytes(100) + content[9100:]
        heap.write_bytes(spoilt if harm == "a page is spoilt" else content[:8192])

    assert start()[1] == BUILT
    copied, how = start()
    assert how == COPIED
    assert tables(copied)["missions"] == tables(built)["missions"]


def test_two_labs_at_once_leave_one_template(cache: Path) -> None:
    """Both come up, and nothing unfinished is left."""
    script = (
        "import sys; from pathlib import Path\n"
        "from datetime import UTC, datetime\n"
        "from runbook_nb.packs.control_plane.lab.database import start_database\n"
        "from runbook_nb.packs.control_plane.lab.postgres import LabPostgres\n"
        "server = LabPostgres(Path(sys.argv[1]))\n"
        "now = datetime(2026, 11, 24, 14, 7, 31, tzinfo=UTC)\n"
        "start_database(server, progress=lambda step: None, now=lambda: now)\n"
        "print(server.running)\n"
        "server.stop()\n"
    )
    folders = [Path(tempfile.mkdtemp(prefix="lab-")) for _ in range(2)]
    for folder in folders:
        folder.chmod(0o711)
    starts = [
        subprocess.Popen([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True)
        for folder in folders
    ]
    said = [each.communicate()[0].strip() for each in starts]
    for folder in folders:
        shutil.rmtree(folder)

    assert said == ["True", "True"]
    assert len([each.name for each in cache.iterdir()]) == 1


def test_templates_that_nobody_needs_are_removed(start: Start, cache: Path) -> None:
    """So are those that a killed lab left unfinished."""
    old = [cache / "20260101T000000Z-0123456789abcdef", cache / ".unfinished.123"]
    for folder in old:
        folder.mkdir(parents=True)
        hour_ago = time.time() - 3600
        os.utime(folder, (hour_ago, hour_ago))
    start()

    assert not any(folder.exists() for folder in old)


def test_a_lab_comes_up_where_nothing_can_be_kept(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template saves time and nothing else."""
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))

    assert start()[1] == start()[1] == BUILT
