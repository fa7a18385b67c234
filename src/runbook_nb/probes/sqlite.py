"""One SQLite file as a database: the interface of ``Database``, reading enforced by SQLite itself.

A read-only one is opened as ``mode=ro`` with ``query_only``, and an authorizer lets nothing but
reading through: no write, no ``attach``, no ``vacuum into``, no pragma that sets anything. A file
in WAL mode needs its ``-shm`` beside it; SQLite makes that one, and no probe can.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.errors import NoAnswerError, WriteRefusedError
from runbook_nb.probes.commands import CUT_OFF
from runbook_nb.probes.connections import CONNECT_TIMEOUT_S, SQLITE, Database, resolved

_STEPS: Final = 1000  # of SQLite's machine between two looks at the clock: about 10 microseconds
_READING: Final = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
_READING_PRAGMAS: Final = frozenset(
    {
        "database_list",
        "foreign_key_check",
        "foreign_key_list",
        "freelist_count",
        "index_info",
        "index_list",
        "integrity_check",
        "page_count",
        "page_size",
        "quick_check",
        "table_info",
        "table_list",
        "table_xinfo",
        "user_version",
    }
)
# Those of them whose argument says what to look at; an argument of the others would set them.
_ASKING_PRAGMAS: Final = _READING_PRAGMAS - {"page_size", "user_version", "freelist_count"}


class SqliteDatabase(Database):
    """One SQLite file, opened when first asked and used for one call.

    Queries name their parameters as PostgreSQL's do, ``%(name)s``, and write a percent sign
    as ``%%``.
    """

    def __init__(self, dsn: str, *, read_only: bool, timeout_s: float, asked: list[str]) -> None:
        super().__init__(dsn, read_only=read_only, timeout_s=timeout_s, asked=asked)
        self._path = Path(dsn.removeprefix(SQLITE))
        self._file: sqlite3.Connection | None = None
        self._deadline, self._refused = 0.0, False

    def rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """Return all rows of a query as dictionaries."""
        self._asked.append(resolved(sql, parameters))
        try:
            cursor = self._run(_named(sql, parameters), parameters)
            columns = [column[0] for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor]
        except sqlite3.Error as error:
            raise self._in_our_words(error) from error

    def transaction(
        self,
        *,
        rollback: bool = False,
        snapshot: bool = False,  # noqa: ARG002 - each transaction of SQLite is one
        moment: str = "",
    ) -> AbstractContextManager[Any]:
        """Hold what follows in one transaction, taken back at its end when ``rollback``.

        Raises NoAnswerError for the ``moment`` of another connection: a file has none.
        """
        if moment:
            message = f"{self._path} is read by SQLite, which cannot see another one's moment."
            raise NoAnswerError(message)
        return self._transaction(rollback=rollback)

    def close(self) -> None:
        """Cut the connection for good, also in the middle of a query."""
        self._closed = True
        file, self._file = self._file, None
        if file is not None:
            file.interrupt()
            file.close()

    @contextmanager
    def _transaction(self, *, rollback: bool) -> Iterator[None]:
        # A savepoint outside a transaction begins one, and nests inside it.
        self._run("savepoint held")
        keep = False
        try:
            yield
            keep = not rollback
        finally:
            if not keep:
                self._run("rollback to held")
            self._run("release held")

    def _run(self, sql: str, parameters: Mapping[str, object] | None = None) -> sqlite3.Cursor:
        file = self._opened()
        self._deadline, self._refused = time.monotonic() + self._timeout_s, False
        return file.execute(sql, dict(parameters or {}))

    def _opened(self) -> sqlite3.Connection:
        if self._closed:
            raise NoAnswerError(CUT_OFF)
        if self._file is None:
            mode = "ro" if self._read_only else "rw"
            try:
                file = sqlite3.connect(
                    f"file:{quote(str(self._path))}?mode={mode}",
                    uri=True,
                    timeout=CONNECT_TIMEOUT_S,
                    isolation_level=None,
                    # The call runs in a thread of its own, and is cut off from another one.
                    check_same_thread=False,
                )
            except sqlite3.OperationalError as error:
                message = f"The SQLite file {self._path} cannot be opened: {error}."
                raise NoAnswerError(message) from error
            if self._read_only:
                file.execute("pragma query_only = on")
                file.set_authorizer(self._authorize)
            file.set_progress_handler(self._is_late, _STEPS)
            self._file = file
        return self._file

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline

    def _authorize(
        self,
        operation: int,
        first: str | None,
        second: str | None,
        _database: str | None,
        _by: str | None,
    ) -> int:
        """Let reading through; SQLite asks this for each thing that a statement would do."""
        if _reads(operation, first or "", second):
            return sqlite3.SQLITE_OK
        # The error that follows does not always say that it is a refusal.
        self._refused = True
        return sqlite3.SQLITE_DENY

    def _in_our_words(self, error: sqlite3.Error) -> Exception:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if self._refused or (self._read_only and code == sqlite3.SQLITE_READONLY):
            return WriteRefusedError(f"The database refused a write by a probe: {error}.")
        if code == sqlite3.SQLITE_INTERRUPT:
            return TimeoutError(f"No answer within {self._timeout_s:g} s.")
        return error


def _reads(operation: int, first: str, second: str | None) -> bool:
    """Tell whether one thing that a statement would do only reads."""
    if operation == sqlite3.SQLITE_FUNCTION:
        return second != "load_extension"
    if operation == sqlite3.SQLITE_PRAGMA:
        return first.lower() in (_READING_PRAGMAS if second is None else _ASKING_PRAGMAS)
    return operation in _READING


def _named(sql: str, parameters: Mapping[str, object]) -> str:
    """Return the query with its parameters named as SQLite names them."""
    for name in parameters:
        sql = sql.replace(f"%({name})s", f":{name}")
    return sql.replace("%%", "%")
