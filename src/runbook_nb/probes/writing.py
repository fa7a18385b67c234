"""Writing to a database: every change is told before it is committed.

PostgreSQL knows of each transaction, by its id, whether it was committed. So the id is handed on
before the commit, and whoever comes after a crash can ask. The log is on disk by then: a server
that crashes gives the id of a transaction whose log it lost to another one. The commit of an ended
transaction is held back until the action does something else or has returned: the id of the last
one then tells that all of the action was done.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from runbook_nb.errors import ActionError
from runbook_nb.probes.connections import Database, resolved

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import DictRow

# The history is that of the server: a promoted one begins another, and may give ids anew.
TRANSACTION_ID: Final = """
select pg_current_xact_id_if_assigned()::text as id,
       left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) as history
"""
# A server that looks for its client ends what a killed one left running; older ones cannot.
WATCH_CLIENT: Final = """
select set_config(name, '1s', true) from pg_settings where name = 'client_connection_check_interval'
"""
BEGIN_WRITING: Final = "select set_config('statement_timeout', %(timeout)s, true)"
# Writes out the log up to here; PostgreSQL 17 and newer, and anybody may.
FLUSH: Final = "select pg_logical_emit_message(false, 'runbook', '', true)"
LOG_END: Final = "select pg_current_wal_insert_lsn()::text as place"
IS_FLUSHED: Final = "select pg_current_wal_flush_lsn() >= %(place)s::pg_lsn as flushed"
# How long an older server's own writing is waited for; a commit of anybody's brings it about.
_FLUSHED_WITHIN_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.05
# Gone once anything within was committed or rolled back by a statement of its own.
STILL_INSIDE: Final = "rollback to savepoint runbook_rehearsal"
SNAPSHOT: Final = "set transaction isolation level repeatable read"


class Journal(Protocol):
    """Who is told of each change before it is sent, and may refuse it by raising."""

    @property
    def attempt(self) -> str:
        """The attempt that the changes belong to."""

    def sending(
        self, system: str, *, transaction: str = "", history: str = "", last: bool = False
    ) -> None:
        """Note that a change is about to be sent, or this transaction to be committed.

        ``history`` is that of the server in which it has this id.
        """

    def committed(self) -> None:
        """Note that the transaction was committed."""


class NoJournal:
    """Nobody is told: for what is rolled back, and for messages outside an attempt."""

    attempt = ""

    def sending(
        self, system: str, *, transaction: str = "", history: str = "", last: bool = False
    ) -> None:
        """Let it pass."""

    def committed(self) -> None:
        """Let it pass."""


class WritingDatabase(Database):
    """One PostgreSQL connection of an action: each change stands in a transaction that is told."""

    def __init__(
        self, dsn: str, *, timeout_s: float, asked: list[str], name: str, journal: Journal
    ) -> None:
        super().__init__(dsn, read_only=False, timeout_s=timeout_s, asked=asked)
        self._name, self._journal = name, journal
        self._depth = 0
        self._held: psycopg.Transaction | None = None
        self._held_id = self._held_history = ""
        self._moment: str | None = None  # what a snapshot that begins sees; "" is now

    def commit(self, *, last: bool) -> None:
        """Commit what is held back, after it was told; what cannot be told is rolled back."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            # Without its id the attempt is settled in another way; with a lost one it is not.
            own = self._held_id if self._is_durable() else ""
            self._journal.sending(
                self._name, transaction=own, history=self._held_history if own else "", last=last
            )
        except BaseException:
            held.__exit__(*sys.exc_info())
            raise
        held.__exit__(None, None, None)
        self._journal.committed()

    def close(self) -> None:
        """Cut the connection for good; what was not committed is lost."""
        self._held = None
        super().close()

    def _execute(self, sql: str, parameters: Mapping[str, object]) -> "psycopg.Cursor[DictRow]":
        import psycopg

        if self._depth:
            self._asked.append(resolved(sql, parameters))
            return self._open().execute(sql, parameters)
        try:
            with self._transaction(rollback=False):
                return self._execute(sql, parameters)
        except psycopg.errors.ActiveSqlTransaction:
            # Some statements stand alone, such as `vacuum`; nobody can ask for them afterwards.
            self._journal.sending(self._name)
            return self._open().execute(sql, parameters)

    @contextmanager
    def _snapshot(self, *, rollback: bool, moment: str) -> Iterator[None]:
        # Its level and its moment can be set before the first question only.
        if self._depth:
            raise ActionError("A snapshot cannot begin within another transaction.")
        self._moment = moment
        try:
            with self._transaction(rollback=rollback):
                self._moment = None
                yield
        finally:
            self._moment = None

    @contextmanager
    def _transaction(self, *, rollback: bool) -> Iterator[None]:
        if self._depth or rollback:
            if not self._depth:
                self.commit(last=False)
            outermost = not self._depth
            with self._inside(), self._open().transaction(force_rollback=rollback):
                if not outermost:
                    yield
                else:
                    with self._taken_back():
                        yield
            return
        self.commit(last=False)
        import psycopg

        transaction = psycopg.Transaction(self._open())
        transaction.__enter__()
        try:
            with self._inside():
                self._begin()
                yield
            changed = self._open().execute(TRANSACTION_ID).fetchone()
        except BaseException:
            if not transaction.__exit__(*sys.exc_info()):
                raise
            return
        if changed is None or changed["id"] is None:
            transaction.__exit__(None, None, None)
        else:
            self._held = transaction
            self._held_id, self._held_history = changed["id"], changed["history"]
            if not self._journal.attempt:
                # Nobody will ask what became of it, and nobody may be there to end it.
                self.commit(last=False)

    def _is_durable(self) -> bool:
        """Have the log written out to here; tell whether a crash leaves the id to no other one."""
        if not self._journal.attempt:
            return True
        import psycopg

        connection = self._open()
        try:
            with connection.transaction():
                connection.execute(FLUSH)
        except (psycopg.errors.UndefinedFunction, psycopg.errors.InsufficientPrivilege):
            return self._gets_flushed()
        return True

    def _gets_flushed(self) -> bool:
        connection, ends = self._open(), time.monotonic() + _FLUSHED_WITHIN_S
        place = connection.execute(LOG_END).fetchone()
        while time.monotonic() < ends:
            found = connection.execute(IS_FLUSHED, place).fetchone()
            if found and found["flushed"]:
                return True
            time.sleep(_LOOK_EVERY_S)
        return False

    def _begin(self) -> None:
        """Set the limits of the transaction; a session's own could be another's in a pooler."""
        if self._moment is not None:
            self._open().execute(SNAPSHOT)
            self._see(self._moment)
        self._open().execute(WATCH_CLIENT)
        self._open().execute(BEGIN_WRITING, self.timeout)

    @contextmanager
    def _taken_back(self) -> Iterator[None]:
        """Prove afterwards that all of it stands in the transaction that is rolled back."""
        import psycopg

        self._begin()
        self._open().execute("savepoint runbook_rehearsal")
        yield
        if self._closed:
            return
        try:
            self._open().execute(STILL_INSIDE)
        except (
            psycopg.errors.InvalidSavepointSpecification,
            psycopg.errors.NoActiveSqlTransaction,
        ):
            message = (
                "Something in it ended the transaction, so it was NOT taken back: "
                f"{self._name} may be changed. Look at once."
            )
            raise ActionError(message) from None

    @contextmanager
    def _inside(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
