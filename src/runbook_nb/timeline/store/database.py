"""The service's database: its connections, and its schema from one version to the next.

It is a PostgreSQL of the team's own, and never that of a platform which runbooks repair.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, LiteralString

from runbook_nb.errors import StoreUnavailableError

if TYPE_CHECKING:
    import psycopg

_SCHEMA: Final = Path(__file__).parent / "schema"
_CONNECT_WITHIN_S: Final = 5
_UNKNOWN_THERE: Final = ("3F000", "42P01", "42883", "42703")  # schema, table, function, column
# Anything that only one migration at a time may hold: the bytes of "runbook" as a number.
_MIGRATION_LOCK: Final = 32205689463269227
_VERSIONS: Final = """
create schema if not exists runbook;
create table if not exists runbook.version (
    number int primary key,
    at timestamptz not null default clock_timestamp()
)
"""
_HAS_VERSIONS: Final = "select to_regclass('runbook.version') is not null"


def connect(dsn: str) -> "psycopg.Connection[dict[str, object]]":
    """Return a connection, each statement its own transaction, with rows as dictionaries."""
    import psycopg
    from psycopg.rows import dict_row

    return psycopg.connect(
        dsn,
        autocommit=True,
        row_factory=dict_row,
        connect_timeout=_CONNECT_WITHIN_S,
        application_name="runbook",
    )


# Chains are read, and written by their function alone.
_GRANTS: Final[tuple[LiteralString, ...]] = (
    "grant usage on schema runbook to {role}",
    "revoke all on all tables in schema runbook from {role}",
    "grant select on all tables in schema runbook to {role}",
    "grant insert, update on runbook.delivery, runbook.sighting, runbook.orders to {role}",
    "grant insert, update on runbook.notice, runbook.alert_place to {role}",
    "grant insert, update, delete on runbook.turn to {role}",
    "grant usage on all sequences in schema runbook to {role}",
    "grant execute on function runbook.append to {role}",
)
_QUEUE_GRANTS: Final = """
select format('grant all on %s %s to {role}', kind, name) as allowed
from (
    select case relkind when 'S' then 'sequence' else 'table' end as kind, oid::regclass as name
    from pg_class where relname like 'procrastinate%' and relkind in ('r', 'S', 'v')
) as queue
"""


@contextmanager
def connected(dsn: str) -> "Iterator[psycopg.Connection[dict[str, object]]]":
    """Open a connection for a while.

    Raises StoreUnavailableError where it cannot be opened, is lost, or its role lacks a right.
    """
    import psycopg

    try:
        with connect(dsn) as connection:
            yield connection
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        raise store_error(error) from error


def store_error(error: "psycopg.Error") -> StoreUnavailableError:
    """Return what is wrong with the store, in a sentence."""
    import psycopg

    # The driver's words name host and database, and never the password.
    said = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        message = (
            f"The store's role may not do this: {said}. Grant it what is missing, or name a role "
            "that owns the database."
        )
        return StoreUnavailableError(message)
    if error.sqlstate in _UNKNOWN_THERE:
        message = f"The store's schema is not this release's: {said}. Run: runbook store migrate"
        return StoreUnavailableError(message)
    return StoreUnavailableError(f"The store cannot be reached: {said}")


def version_known() -> int:
    """Return the newest version of the schema that this release knows."""
    return max(_number(file) for file in _SCHEMA.glob("*.sql"))


def version_of(connection: "psycopg.Connection[dict[str, object]]") -> int:
    """Return the version that the database has; 0 where it has none yet."""
    found = connection.execute(_HAS_VERSIONS).fetchone()
    if not found or not next(iter(found.values())):
        return 0
    newest = connection.execute("select max(number) as number from runbook.version").fetchone()
    number = newest["number"] if newest else None
    return number if isinstance(number, int) else 0


def migrate(dsn: str) -> list[int]:
    """Bring the schema to this release's version; return the numbers of what was applied.

    All of it is one transaction, and two that migrate at once wait for each other. Raises
    StoreUnavailableError where the database is newer than this release, and changes nothing then.
    """
    with connected(dsn) as connection, connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_MIGRATION_LOCK])
        now = version_of(connection)
        demand_not_newer(now)
        connection.execute(_VERSIONS)
        todo = sorted(file for file in _SCHEMA.glob("*.sql") if _number(file) > now)
        for file in todo:
            connection.execute(file.read_bytes())
            connection.execute("insert into runbook.version (number) values (%s)", [_number(file)])
        return [_number(file) for file in todo]


def grant(dsn: str, role: str) -> None:
    """Let a role use the store, and a timeline only grow by it.

    Raises StoreUnavailableError where there is no such role.
    """
    from psycopg import sql

    # The queue's own tables stand where the owner's search path put them.
    with connected(dsn) as connection, connection.transaction():
        for statement in _GRANTS:
            connection.execute(sql.SQL(statement).format(role=sql.Identifier(role)))
        for row in connection.execute(_QUEUE_GRANTS).fetchall():
            allowed = sql.SQL(str(row["allowed"])).format(role=sql.Identifier(role))
            connection.execute(allowed)


def demand_not_newer(version: int) -> None:
    """Raise StoreUnavailableError for a schema that a later release made."""
    if version > version_known():
        message = (
            f"The store's schema has version {version}, and this release knows {version_known()}. "
            "Nothing was read or changed. Install the release that made it, or a later one."
        )
        raise StoreUnavailableError(message)


def demand_current(dsn: str) -> None:
    """Raise StoreUnavailableError unless the schema is the one that this release knows."""
    with connected(dsn) as connection:
        version = version_of(connection)
    demand_not_newer(version)
    if version < version_known():
        message = (
            f"The store's schema has version {version}, and this release needs {version_known()}. "
            "Bring it there: runbook store migrate"
        )
        raise StoreUnavailableError(message)


def _number(file: Path) -> int:
    return int(file.name.partition("_")[0])
