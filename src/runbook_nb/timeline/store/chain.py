"""Timelines in the store: chains that several machines write on, each line behind the last.

The file in the folder of an incident is a copy of the beginning of its chain. Nobody holds a lock
between two statements: a line is taken only behind the head that its writer has seen.
"""

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, LiteralString, NamedTuple

from runbook_nb.errors import (
    FencedError,
    RecordIntegrityError,
    StoreUnavailableError,
    TurnTakenError,
)
from runbook_nb.timeline.store.database import connect, store_error
from runbook_nb.timeline.store.settings import StoreSettings, settings_of

if TYPE_CHECKING:
    import psycopg

CLAIM: Final = "RUNBOOK_CLAIM"  # the order that a run is of, its fence, and the attempt
LEASE_S: Final = 20.0  # who acts and says nothing for so long has lost the turn
_ANSWER_WITHIN_S: Final = 10.0
_LOOK_S: Final = 0.3  # how old what is only read may be
_AWAY_S: Final = 5.0  # until a store that is away is asked again for what is only read
_FENCED, _TURN_LOST = "RB001", "RB002"

_BEHIND: Final = """
select seq, hash, line from runbook.event
where incident = %(incident)s and seq >= %(seq)s order by seq
"""
_APPEND: Final = """
select runbook.append(%(incident)s, %(seq)s, %(prev)s, %(hash)s, %(kind)s, %(line)s,
                      %(order)s, %(fence)s, %(holder)s) as taken
"""
_OPEN: Final = "select id from runbook.incident where closed_at is null order by opened_at desc"
_ALL: Final = "select id from runbook.incident order by opened_at"
_HAS: Final = "select from runbook.incident where id = %(incident)s"
_NUMBER: Final = "select nextval('runbook.incident_number') as number"
_PLACE: Final = """
insert into runbook.alert_place as place (key, incident) values (%(key)s, %(incident)s)
on conflict (key) do update set incident = excluded.incident
where %(over)s or place.incident = excluded.incident
   or exists (select from runbook.incident
              where id = place.incident and closed_at is not null)
returning incident
"""
_PLACED: Final = """
select place.incident from runbook.alert_place as place
where place.key = %(key)s and not exists (
    select from runbook.incident where id = place.incident and closed_at is not null)
"""
_TAKE: Final = """
insert into runbook.turn as turn (incident, holder, until)
values (%(incident)s, %(holder)s, clock_timestamp() + make_interval(secs => %(lease_s)s))
on conflict (incident) do update set holder = excluded.holder, until = excluded.until
where turn.until < clock_timestamp() or turn.holder = excluded.holder
returning holder
"""
_KEEP: Final = """
update runbook.turn set until = clock_timestamp() + make_interval(secs => %(lease_s)s)
where incident = %(incident)s and holder = %(holder)s and until > clock_timestamp()
returning holder
"""
_GIVE: Final = "delete from runbook.turn where incident = %(incident)s and holder = %(holder)s"


class AnswerLostError(StoreUnavailableError):
    """The connection to the store was lost before it had answered."""


class Store:
    """The timelines of all incidents; one connection, which threads use in turn.

    Everything here raises StoreUnavailableError where the store is away or says nothing.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._lock = threading.Lock()
        self._owner = os.getpid()

    def rows(
        self, statement: LiteralString, *, again: bool = True, **values: object
    ) -> list[dict[str, Any]]:
        """Return the rows of one statement, asked ``again`` where the connection was lost.

        Raises AnswerLostError where it is not, and nobody knows whether it was carried out.
        """
        import psycopg

        with self._lock:
            while True:
                fresh = self._connection is None
                try:
                    connection = self._connected()
                    with _within(connection):
                        cursor = connection.execute(statement, values)
                        return cursor.fetchall() if cursor.description else []
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    self._forget()
                    if fresh:
                        raise store_error(error) from error
                    if not again:
                        raise AnswerLostError from error
                except psycopg.Error as error:
                    raise _refusal(error) or store_error(error) from error

    def open_incidents(self) -> list[str]:
        """Return the incidents that are open, newest first."""
        return [str(row["id"]) for row in self.rows(_OPEN)]

    def all_incidents(self) -> list[str]:
        """Return every incident, oldest first."""
        return [str(row["id"]) for row in self.rows(_ALL)]

    def has(self, incident: str) -> bool:
        """Tell whether an incident of that id was opened."""
        return bool(self.rows(_HAS, incident=incident))

    def next_number(self) -> int:
        """Return a number that nobody else gets."""
        return int(self.rows(_NUMBER)[0]["number"])

    def place(self, key: str, incident: str, *, over: bool) -> bool:
        """Remember where an alert goes; False where another open incident has it.

        ``over`` takes it away from there.
        """
        return bool(self.rows(_PLACE, key=key, incident=incident, over=over))

    def placed(self, key: str) -> str | None:
        """Return the incident that an alert goes to, unless that was closed."""
        found = self.rows(_PLACED, key=key)
        return str(found[0]["incident"]) if found else None

    def _connected(self) -> "psycopg.Connection[dict[str, Any]]":
        # A process that was forked has its parent's socket, and must not speak on it.
        if self._connection is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._connection = connect(self._settings.address())
        return self._connection

    def _forget(self) -> None:
        lost, self._connection = self._connection, None
        if lost is not None:
            with suppress(Exception):
                lost.close()


class Chain:
    """The timeline of one incident in the store.

    ``holder`` is by what name we have the turn to act; empty while we do not.
    """

    def __init__(self, store: Store, incident: str) -> None:
        self.store, self.incident = store, incident
        self.holder = ""
        self._next_look = 0.0

    @property
    def is_due(self) -> bool:
        """Whether what was read is too old to be shown."""
        return time.monotonic() >= self._next_look

    def behind(self, seq: int, head: str) -> list[bytes]:
        """Return the lines behind the first ``seq``, which end with ``head``.

        Raises RecordIntegrityError where the chain in the store has no such beginning.
        """
        self._next_look = time.monotonic() + _AWAY_S
        found = self.store.rows(_BEHIND, incident=self.incident, seq=seq)
        self._next_look = time.monotonic() + _LOOK_S
        if seq and (not found or found[0]["hash"] != head):
            message = (
                f"{self.incident}: the store has another timeline than the folder from event {seq} "
                "on. Nothing was written. Where it began in this folder, have the store take it: "
                "runbook store copy --to store"
            )
            raise RecordIntegrityError(message)
        return [bytes(row["line"]) for row in found if row["seq"] > seq]

    def append(self, line: bytes, stored: Mapping[str, Any], digest: str) -> bool:
        """Write a line behind the head that it names; False where that is the head no more.

        Raises AnswerLostError where nobody knows whether it stands there, FencedError where another
        worker has taken the order of this process over, and TurnTakenError for the beginning of an
        action without the turn.
        """
        claim = Claim.here()
        found = self.store.rows(
            _APPEND,
            again=False,
            incident=self.incident,
            seq=stored["seq"],
            prev=stored["prev"],
            hash=digest,
            kind=stored["kind"],
            line=line,
            order=claim.order,
            fence=claim.fence,
            holder=self.holder,
        )
        return bool(found[0]["taken"])


class Claim(NamedTuple):
    """The order that a process works: its fence, and which attempt of it this is, from 1."""

    order: str = ""
    fence: int = 0
    attempt: int = 0

    @classmethod
    def here(cls, environ: Mapping[str, str] = os.environ) -> "Claim":
        """Return the claim of this process; one of no order where it works none."""
        if not (told := environ.get(CLAIM)):
            return cls()
        order, fence, attempt = told.split(" ")
        return cls(order, int(fence), int(attempt))

    def __str__(self) -> str:
        """Write it as the variable holds it."""
        return " ".join(map(str, self))


class Lease:
    """The turn to act in one incident, for as long as somebody says that he goes on."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def taken(self) -> bool:
        """Take the turn; False while somebody else has it."""
        if not self._said(_TAKE):
            return False
        self._chain.holder = self._holder
        self._thread = threading.Thread(target=self._keep, name="turn kept", daemon=True)
        self._thread.start()
        return True

    def end(self) -> None:
        """Give the turn back."""
        if self._thread is None or self._ends.is_set():
            return
        self._ends.set()
        self._chain.holder = ""
        # Where the store is away, it ends by itself.
        with suppress(StoreUnavailableError):
            self._said(_GIVE)

    def _keep(self) -> None:
        while not self._ends.wait(LEASE_S / 4):
            with suppress(StoreUnavailableError):
                self._said(_KEEP)

    def _said(self, statement: LiteralString) -> bool:
        incident, holder = self._chain.incident, self._holder
        found = self._chain.store.rows(statement, incident=incident, holder=holder, lease_s=LEASE_S)
        return bool(found)


def store_of(incidents: Path) -> Store | None:
    """Return the store that has the timelines of a folder of incidents; None without one."""
    return _store_of(incidents.absolute())


def chain_of(timeline: Path) -> Chain | None:
    """Return the chain that a timeline's file is a copy of; None where the file is all there is."""
    store = store_of(timeline.parent.parent)
    return Chain(store, timeline.parent.name) if store else None


@cache
def _store_of(incidents: Path) -> Store | None:
    # Asked for each timeline, and a project is what it was when this process began.
    settings = settings_of(incidents)
    return Store(settings) if settings and settings.timelines else None


@contextmanager
def _within(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Cut a connection off whose server says nothing: it may be halted, and would never answer."""

    def cut() -> None:
        with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_ANSWER_WITHIN_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _refusal(error: "psycopg.Error") -> Exception | None:
    """Return what the store says of a line that it does not take; None for any other error."""
    if error.sqlstate == _FENCED:
        return FencedError()
    return TurnTakenError() if error.sqlstate == _TURN_LOST else None
