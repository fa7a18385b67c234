"""The lab's PostgreSQL has the platform's extensions, keeps its log, and may lose its rows."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runbook_nb.errors import DatabaseServerError
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.timeline.store.embedded.processes import wait_until
from runbook_nb.timeline.store.embedded.server import PostgresServer

pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[LabPostgres]:
    # pytest's own folders are closed to the server's account when root runs the tests.
    folder = Path(tempfile.mkdtemp(prefix="lab-"))
    folder.chmod(0o711)
    started = LabPostgres(folder)
    started.start()
    yield started
    started.stop()
    shutil.rmtree(folder)


def connect(server: LabPostgres) -> psycopg.Connection:
    return psycopg.connect(server.dsn(), autocommit=True)


def test_a_started_server_has_vectors_statistics_and_the_extensions_of_the_lab(server):
    """The platform's data model needs all three."""
    with connect(server) as connection:
        connection.execute("create extension vector")
        connection.execute("create extension pg_stat_statements")
        connection.execute("create extension pg_cron")
        distance = connection.execute("select '[1,0]'::vector <-> '[1,2]'::vector").fetchone()

    assert distance == (2.0,)


def test_finished_log_segments_are_archived(server):
    """Recovery to a moment needs them all."""
    with connect(server) as connection:
        segment = connection.execute("select pg_walfile_name(pg_switch_wal())").fetchone()
    archived = server.folder / "postgres" / "archive" / segment[0]

    assert wait_until(archived.exists, within_s=10)


def test_it_waits_for_no_disk(server):
    """Its rows are made anew at each start; a store's server waits."""
    with connect(server) as connection:
        assert connection.execute("show fsync").fetchone() == ("off",)


def test_another_kind_of_server_does_not_start_what_a_lab_wrote(server):
    """It would go on without its archive, and nobody would be told."""
    server.stop()
    try:
        with pytest.raises(DatabaseServerError, match="are not of a store, and are left alone"):
            PostgresServer(server.folder).start()
    finally:
        server.start()
    with connect(server) as connection:
        assert connection.execute("show archive_mode").fetchone() == ("on",)


def test_what_it_lacks_is_said_in_the_words_of_the_lab(tmp_path):
    """Nobody is sent to the service."""
    with pytest.raises(DatabaseServerError, match=re.escape("`runbook lab up` starts it")):
        _ = LabPostgres(tmp_path).port
