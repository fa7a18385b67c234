"""A database connection that comes back by itself after the server was away."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 1.0

_log = logging.getLogger(__name__)


class DatabaseAwayError(Exception):
    """The database cannot be reached now; it is tried again after a pause."""


class AgentDatabase:
    """One autocommit connection, used by one task at a time.

    While the server is away every use fails at once, except that one connection attempt is made
    after each pause of 0.1 s, doubling to 1 s. ``connections`` counts how often it connected:
    locks taken on an earlier connection are gone.
    """

    def __init__(self, dsn: str, *, application_name: str) -> None:
        self._dsn = dsn
        self._application_name = application_name
        self._connection: psycopg.AsyncConnection[DictRow] | None = None
        self._turn = asyncio.Lock()
        self._pause_s = _FIRST_PAUSE_S
        self._next_attempt = 0.0
        self._away_since: float | None = None
        self.connections = 0

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[psycopg.AsyncConnection[DictRow]]:
        """Wait for our turn and give the connection; raise DatabaseAwayError while it is lost."""
        async with self._turn:
            connection = await self._connected()
            try:
                yield connection
            except psycopg.OperationalError as error:
                if not connection.closed:
                    raise
                self._lose(error)
                raise DatabaseAwayError(str(error)) from error

    async def rows(
        self, statement: LiteralString, parameters: Mapping[str, object] | None = None
    ) -> list[DictRow]:
        """Run one statement and return its rows; raise DatabaseAwayError while it is lost."""
        async with self.ready() as connection:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchall() if cursor.description else []

    async def _connected(self) -> psycopg.AsyncConnection[DictRow]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if time.monotonic() < self._next_attempt:
            raise DatabaseAwayError("The database was away a moment ago.")
        try:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn,
                autocommit=True,
                application_name=self._application_name,
                connect_timeout=2,
                row_factory=dict_row,
            )
        except psycopg.OperationalError as error:
            self._lose(error)
            raise DatabaseAwayError(str(error)) from error
        self._found()
        return self._connection

    def _lose(self, error: psycopg.OperationalError) -> None:
        self._connection = None
        self._next_attempt = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        if self._away_since is None:
            self._away_since = time.monotonic()
            _log.warning("The database is away, trying again: %s", str(error).splitlines()[0])

    def _found(self) -> None:
        self.connections += 1
        self._pause_s = _FIRST_PAUSE_S
        if self._away_since is not None:
            _log.warning("The database is back after %.1f s.", time.monotonic() - self._away_since)
            self._away_since = None
