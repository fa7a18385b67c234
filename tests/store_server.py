"""A real PostgreSQL that holds stores: a server for a process of tests, a database for each."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from runbook_nb.timeline.store.database import migrate
from runbook_nb.timeline.store.embedded.server import PostgresServer


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


@contextmanager
def own_role(store: str) -> Iterator[str]:
    """Give the address of the store for a role that owns nothing."""
    word = secrets.token_hex(8)
    with psycopg.connect(store, autocommit=True) as owner:
        owner.execute(f"create role app_role login password '{word}'".encode())
        try:
            address = urlsplit(store)
            yield address._replace(
                netloc=f"app_role:{word}@{address.netloc.split('@')[1]}"
            ).geturl()
        finally:
            owner.execute("drop owned by app_role")
            owner.execute("drop role app_role")
