"""The lab's database with its rows: begun with a copy of its past, or built from nothing."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from runbook_nb.errors import DatabaseServerError, LabError
from runbook_nb.packs.control_plane.lab.environment import LOGIN_ROLES
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.packs.control_plane.lab.seed import end_of_past, seed_past, seed_present
from runbook_nb.packs.control_plane.lab.template import Template
from runbook_nb.timeline.store.embedded.files import ensure_secret

_SCHEMA = Path(__file__).parent / "schema"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def start_database(
    server: LabPostgres,
    *,
    progress: Callable[[str], None],
    now: Callable[[], datetime] = _utc_now,
) -> None:
    """Start an empty folder's server with the rows that a seed gives now.

    ``progress`` is told each step in words. LabError or DatabaseServerError says why it cannot.
    """
    progress("Starting PostgreSQL")
    past = end_of_past(now())
    template = Template.ending(past)
    if not _begun_with(template, server, progress=progress, now=now):
        _build(server, template, past=past, progress=progress)
        _finish(server, password=None, now=now)


def apply_schema(dsn: str) -> None:
    """Apply `schema/*.sql` in file-name order, each file in a transaction of its own."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for file in sorted(_SCHEMA.glob("*.sql")):
            try:
                connection.execute(file.read_bytes())
            except psycopg.Error as error:
                raise LabError(f"{file.name} could not be applied: {error}") from error


def _begun_with(
    template: Template,
    server: LabPostgres,
    *,
    progress: Callable[[str], None],
    now: Callable[[], datetime],
) -> bool:
    """Start on a copy of the template; if that cannot be, leave nothing of it and tell so."""
    if not template.folder.exists():
        return False
    try:
        server.begin_with(template)
        server.start()
        progress("Writing what runs now to a copy of weeks of missions")
        _finish(server, password=template.password, now=now)
    except (LabError, DatabaseServerError, OSError, psycopg.Error):
        template.forget()
        server.stop()
        server.discard()
        return False
    return True


def _build(
    server: LabPostgres,
    template: Template,
    *,
    past: datetime,
    progress: Callable[[str], None],
) -> None:
    """Write schema and past into an empty server, and keep them for the labs that follow."""
    server.start()
    progress("Building the platform's tables, policies, views and jobs")
    apply_schema(server.dsn())
    progress("Filling them with weeks of missions")
    with psycopg.connect(server.dsn()) as connection:
        seed_past(connection, now=past)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        # Done once here; else the server does it beside every lab that begins with the copy.
        connection.execute("vacuum (analyze)")
    server.stop()
    # A lab comes up without a template as well; only the next one takes longer.
    with suppress(OSError):
        server.keep_as(template)
    server.start()


def _finish(server: LabPostgres, *, password: str | None, now: Callable[[], datetime]) -> None:
    """Give the roles this lab's passwords, and write what runs now.

    ``password`` is that of the superuser in copied files.
    """
    with psycopg.connect(server.dsn(password=password)) as connection:
        for role in ("postgres", *LOGIN_ROLES):
            _give_password(connection, role, ensure_secret(server.folder, f"{role}.password"))
        seed_present(connection, now=now())


def _give_password(connection: psycopg.Connection, role: str, password: str) -> None:
    # Encrypted here, so that no log and no statistics of the server hold the password.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL("alter role {} password {}").format(
            sql.Identifier(role), sql.Literal(verifier.decode())
        )
    )
