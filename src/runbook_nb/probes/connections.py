"""Connections for probes and actions: a database and HTTP services, recorded, read-only for probes.

Each connection writes what it was asked into ``asked``, so that the evidence shows the resolved
question. A read-only connection refuses to write on this side, before the system has to.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError, WriteRefusedError
from runbook_nb.probes.commands import CUT_OFF
from runbook_nb.probes.sight import demand_all_lines

if TYPE_CHECKING:
    import ssl

    import httpx
    import psycopg
    from psycopg.rows import DictRow

READING_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CONNECT_TIMEOUT_S: Final = 3
_PORTS: Final = {"http": 80, "https": 443}
# Marks a request that was judged to read, whatever its method.
_ONLY_READS: Final = "only_reads"
# How the connection string of an SQLite file begins; its path follows.
SQLITE: Final = "sqlite:///"
# With row security off, what a policy would narrow is refused: too few rows look like health.
# Asking this first also takes the transaction's snapshot, after which it cannot be turned to write.
BEGIN_READING: Final = """
select current_setting('transaction_read_only') = 'on' as read_only,
       set_config('statement_timeout', %(timeout)s, true),
       set_config('row_security', 'off', true)
"""
_NARROWED: Final = "row-level security"
# A message or a lock is no write to a database, and none of these begins one.
_QUESTION: Final = re.compile(
    r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:select|with|table|values|show|explain)\b",
    re.IGNORECASE | re.DOTALL,
)


class Database:
    """One PostgreSQL connection, opened when first asked and used for one call.

    A read-only one asks every question, a single statement, in a transaction that says READ ONLY
    and has proved it; its role should hold no write privilege either. Nothing hangs on settings of
    the session: a pooler may drop them, or hand the session on to somebody else. Once it was
    closed it stays closed.
    """

    def __init__(self, dsn: str, *, read_only: bool, timeout_s: float, asked: list[str]) -> None:
        self._dsn, self._read_only, self._timeout_s = dsn, read_only, timeout_s
        self._asked = asked
        self._connection: psycopg.Connection[DictRow] | None = None
        self._closed = False

    @property
    def timeout(self) -> dict[str, str]:
        """How long one statement may take, as a setting of PostgreSQL."""
        return {"timeout": f"{max(1, int(self._timeout_s * 1000))}ms"}

    def rows(self, sql: str, **parameters: object) -> list[dict[str, Any]]:
        """Return all rows of a query as dictionaries."""
        cursor = self._execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []

    def row(self, sql: str, **parameters: object) -> dict[str, Any]:
        """Return the one row of a query."""
        return self.rows(sql, **parameters)[0]

    def value(self, sql: str, **parameters: object) -> Any:
        """Return the first column of the first row of a query."""
        return next(iter(self.row(sql, **parameters).values()))

    def transaction(
        self, *, rollback: bool = False, snapshot: bool = False, moment: str = ""
    ) -> AbstractContextManager[Any]:
        """Hold what follows in one transaction, taken back at its end when ``rollback``.

        In a ``snapshot`` all questions see the same moment, and with the ``moment`` of another
        connection what that one sees; it cannot begin within another transaction.
        """
        if snapshot or moment:
            return self._snapshot(rollback=rollback, moment=moment)
        return self._transaction(rollback=rollback)

    def moment(self) -> str:
        """Return what this transaction sees, for another connection while this one is held."""
        return str(self.value("select pg_export_snapshot()"))

    def close(self) -> None:
        """Cut the connection for good, also in the middle of a query; raises nothing."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            from psycopg.pq import TransactionStatus

            # A server too busy to take the cancellation loses the connection all the same. It
            # takes a second connection, so an idle one is spared it.
            with suppress(Exception):
                if connection.info.transaction_status is TransactionStatus.ACTIVE:
                    connection.cancel_safe(timeout=1)
            with suppress(Exception):
                connection.close()

    def _execute(self, sql: str, parameters: Mapping[str, object]) -> "psycopg.Cursor[DictRow]":
        import psycopg

        self._asked.append(resolved(sql, parameters))
        if self._read_only and not _QUESTION.match(sql):
            message = (
                "It was refused: a probe asks by SELECT, WITH, TABLE, VALUES, SHOW or EXPLAIN, and "
                f"not by {' '.join(sql.split())[:40]!r}."
            )
            raise WriteRefusedError(message)
        try:
            if not self._read_only:
                return self._open().execute(sql, parameters)
            with nullcontext() if self._in_transaction() else self._transaction(rollback=False):
                demand_all_lines(sql, self._proof)
                # A prepared question is a single statement: nothing can follow a `commit;` in it.
                return self._open().execute(sql, parameters, prepare=True)
        except psycopg.errors.InsufficientPrivilege as error:
            told = error.diag.message_primary or ""
            if not (self._read_only and _NARROWED in told):
                raise
            message = (
                f"The reading role does not see all rows: {told}. Give it BYPASSRLS, or a policy "
                "that shows it every row."
            )
            raise NoAnswerError(message) from error
        except psycopg.errors.ReadOnlySqlTransaction as error:
            message = f"The database refused a write by a probe: {error.diag.message_primary}."
            raise WriteRefusedError(message) from error

    def _in_transaction(self) -> bool:
        from psycopg.pq import TransactionStatus

        return self._open().info.transaction_status is not TransactionStatus.IDLE

    @contextmanager
    def _snapshot(self, *, rollback: bool, moment: str) -> Iterator[None]:
        from psycopg import IsolationLevel

        connection = self._open()
        # The proof is a question, and after one the level cannot be set: it goes with the begin.
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            with connection.transaction(force_rollback=rollback):
                self._see(moment)
                self._prove()
                yield
        finally:
            if not connection.closed:
                connection.isolation_level = None

    @contextmanager
    def _transaction(self, *, rollback: bool) -> Iterator[None]:
        """Begin a transaction, or one within the one that is held."""
        with self._open().transaction(force_rollback=rollback):
            self._prove()
            yield

    def _prove(self) -> None:
        """Have the transaction that has just begun prove that it only reads, where it is to."""
        if self._read_only and not self._proof(BEGIN_READING, self.timeout).get("read_only"):
            message = "The database gave a probe a transaction that may write."
            raise WriteRefusedError(message)

    def _proof(
        self, question: str, parameters: Mapping[str, str] | None = None
    ) -> Mapping[str, object]:
        """Ask what proves something about this connection; it is no question of the probe's."""
        return self._open().execute(question, parameters).fetchone() or {}

    def _see(self, moment: str) -> None:
        """Let the transaction that has just begun see another one's moment, if there is any."""
        if moment:
            from psycopg import sql

            self._open().execute(sql.SQL("set transaction snapshot {}").format(moment))

    def _open(self) -> "psycopg.Connection[DictRow]":
        if self._closed:
            raise NoAnswerError(CUT_OFF)
        if self._connection is None:
            # psycopg costs a tenth of a second to import; runs without a database never pay it.
            import psycopg
            from psycopg.rows import dict_row

            self._connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                connect_timeout=CONNECT_TIMEOUT_S,
                row_factory=dict_row,
                application_name="runbook",
            )
            self._connection.read_only = self._read_only
        return self._connection


class Http:
    """One HTTP service; a read-only one sends reading methods only.

    What opens the service goes to its own origin and nowhere else. ``before`` is told of each
    request before it is sent, and whether it may write. Once it was closed it stays closed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str],
        read_only: bool,
        timeout_s: float,
        asked: list[str],
        before: Callable[[bool], None] = lambda _writes: None,
    ) -> None:
        import httpx

        self._read_only, self._asked, self._before = read_only, asked, before
        self._origin = _origin_of(httpx.URL(base_url))
        self._client = httpx.Client(
            base_url=base_url,
            headers=dict(headers),
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            # Proxies of the responder's shell must not stand between a probe and its system.
            trust_env=False,
            verify=_certificates(),
            # Held here too, where every request of this client passes, however it is sent.
            event_hooks={"request": [self._hold]},
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> "httpx.Response":
        """Send one request; raises WriteRefusedError for a writing method when read-only."""
        self._guard(method, path)
        self._before(method.upper() not in READING_METHODS)
        timeout = self._client.timeout if timeout_s is None else timeout_s
        return self._send(
            self._client.build_request(
                method, path, json=json, params=params, headers=headers, timeout=timeout
            ),
            said=method,
        )

    def get(
        self, path: str, *, params: Mapping[str, str] | None = None, timeout_s: float | None = None
    ) -> "httpx.Response":
        """Send a GET request."""
        return self.request("GET", path, params=params, timeout_s=timeout_s)

    def ask(
        self, path: str, *, json: object, writes: Callable[[str, object], str]
    ) -> "httpx.Response":
        """Send a question that the service takes by POST only.

        ``writes`` says why a path with such a body may write, and nothing where it only reads; a
        read-only service raises WriteRefusedError for the first before anything is sent.
        """
        if self._read_only and (why := writes(path, json)):
            message = f"A probe may not send POST {path}: {why}. Probes only read."
            raise WriteRefusedError(message)
        self._before(False)  # noqa: FBT003 - it only reads
        request = self._client.build_request("POST", path, json=json)
        request.extensions[_ONLY_READS] = True
        return self._send(request, said="Reading by POST")

    @contextmanager
    def stream(
        self, path: str, *, params: Mapping[str, str], timeout_s: float
    ) -> Iterator["httpx.Response"]:
        """Open a GET response and leave its body to be read as it comes."""
        self._before(False)  # noqa: FBT003 - it only reads
        self._asked.append(f"GET {self._client.base_url}{path.lstrip('/')} (stream)")
        with self._client.stream("GET", path, params=params, timeout=timeout_s) as response:
            yield response

    def close(self) -> None:
        """Cut the connections."""
        self._client.close()

    def _send(self, request: "httpx.Request", *, said: str) -> "httpx.Response":
        """Send a request and keep what was asked, with its answer once that is there."""
        started = time.perf_counter()
        self._asked.append(f"{said} {request.url}")
        response = self._client.send(request)
        took_ms = (time.perf_counter() - started) * 1000
        self._asked[-1] = f"{said} {request.url} → {response.status_code} in {took_ms:.0f} ms"
        return response

    def _hold(self, request: "httpx.Request") -> None:
        """Refuse a request that leaves the service, or that may not be sent."""
        if not request.extensions.get(_ONLY_READS):
            self._guard(request.method, request.url.path)
        if _origin_of(request.url) != self._origin:
            message = (
                f"{request.url.copy_with(query=None)} is not at {self._client.base_url}: what "
                "opens a service goes to it alone. Give another one settings of its own."
            )
            raise WriteRefusedError(message)

    def _guard(self, method: str, path: str) -> None:
        if self._read_only and method.upper() not in READING_METHODS:
            message = f"A probe may not send {method} {path}; probes only read."
            raise WriteRefusedError(message)


def _origin_of(url: "httpx.URL") -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or _PORTS.get(url.scheme, 0)


@cache
def _certificates() -> "ssl.SSLContext":
    """Return the authorities that vouch for a service, read once: it takes longer than a probe."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def resolved(sql: str, parameters: Mapping[str, object]) -> str:
    """Return the query with its parameters beneath, to be copied and read."""
    text = sql.strip()
    said = ", ".join(f"{name} = {value!r}" for name, value in parameters.items())
    return f"{text}\n-- with {said}" if said else text
