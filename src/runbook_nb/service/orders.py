"""Orders: runs that were asked for and must each end once.

An order is the truth, a job of the queue only a bell. Whoever works an order claims it, and each
claim raises its fence: what an older claim still says counts no more. Every change is one
statement, and every time is the database's.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from runbook_nb.errors import OrderError
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    import psycopg

State = Literal["queued", "running", "done", "given_up", "dropped"]
LIVE: Final = ("queued", "running")

_PLACE: Final = """
insert into runbook.orders (id, incident, runbook, environment, parameters, cause, priority)
values (%(id)s, %(incident)s, %(runbook)s, %(environment)s, %(parameters)s, %(cause)s, %(priority)s)
on conflict (incident, runbook) where state in ('queued', 'running') do nothing
returning id
"""
_LIVE: Final = """
select id from runbook.orders
where incident = %(incident)s and runbook = %(runbook)s and state in ('queued', 'running')
"""
# Claims of one environment wait for each other, so that no two see the same free place.
_TAKE_TURN: Final = "select pg_advisory_xact_lock(hashtextextended('runbook order ' || %s, 0))"
_CLAIM: Final = """
update runbook.orders
set state = 'running', fence = fence + 1, attempts = attempts + 1, worker = %(worker)s,
    began_at = clock_timestamp(), beat_at = clock_timestamp()
where id = %(order)s and state = 'queued'
  and (select count(*) from runbook.orders as other
       where other.environment = orders.environment and other.state = 'running') < %(at_most)s
returning *
"""
_BEAT: Final = """
update runbook.orders set beat_at = clock_timestamp()
where id = %(order)s and fence = %(fence)s and state = 'running'
returning id
"""
_FINISH: Final = """
update runbook.orders set state = 'done', ended_at = clock_timestamp(), result = %(result)s
where id = %(order)s and fence = %(fence)s and state = 'running'
returning id
"""
_GIVE_BACK: Final = """
update runbook.orders
set state = 'queued', attempts = attempts - 1, worker = '', handed_at = null
where id = %(order)s and fence = %(fence)s and state = 'running'
returning id
"""
_SWEEP: Final = """
update runbook.orders
set state = case when attempts >= %(attempts)s then 'given_up' else 'queued' end,
    ended_at = case when attempts >= %(attempts)s then clock_timestamp() end, handed_at = null
where state = 'running' and beat_at < clock_timestamp() - make_interval(secs => %(stall_s)s)
returning *
"""
_UNTOLD: Final = """
select * from runbook.orders where state = 'given_up' and result is null order by ended_at
"""
_TOLD: Final = """
update runbook.orders set result = jsonb_build_object('told', %(told)s::text)
where id = %(order)s and state = 'given_up' and result is null
returning id
"""
_HAS_PLACE: Final = """
select id from runbook.orders
where id = %(order)s and state = 'queued'
  and id <> all(%(begun)s)
  and (select count(*) from runbook.orders as other
       where other.environment = orders.environment
         and (other.state = 'running' or other.state = 'queued' and other.id = any(%(begun)s))
      ) < %(at_most)s
"""
_HAND: Final = """
update runbook.orders set handed_at = clock_timestamp()
where id = %(order)s and state = 'queued'
  and (handed_at is null or handed_at < clock_timestamp() - make_interval(secs => %(again_s)s))
  and (select count(*) from runbook.orders as other
       where other.environment = orders.environment and other.id <> orders.id
         and (other.state = 'running' or other.state = 'queued'
              and other.handed_at > clock_timestamp() - make_interval(secs => %(again_s)s))
      ) < %(at_most)s
returning id
"""
_RETRY: Final = """
update runbook.orders
set state = 'queued', attempts = 0, ended_at = null, result = null, handed_at = null
where id = %(order)s and state in ('given_up', 'dropped')
returning *
"""
_DROP: Final = """
update runbook.orders
set state = 'dropped', ended_at = clock_timestamp(), result = jsonb_build_object(
    'reason', %(reason)s::text, 'by', %(by)s::text)
where id = %(order)s and state = 'queued'
returning *
"""
_ONE: Final = "select * from runbook.orders where id = %(order)s"
_LISTED: Final = """
select * from runbook.orders
where state = any(%(states)s)
order by state = 'queued', priority desc, queued_at
limit %(limit)s
"""
_RUNNING: Final = """
select id from runbook.orders
where incident = %(incident)s and runbook = %(runbook)s and state = 'running'
"""
_LAST: Final = """
select parameters from runbook.orders
where incident = %(incident)s and runbook = %(runbook)s and state = 'done'
order by ended_at desc limit 1
"""
_NEXT: Final = """
select id from runbook.orders where state = 'queued' order by priority desc, queued_at
"""


@dataclass(frozen=True, kw_only=True)
class KeptOrder:
    """An order as the store has it.

    ``attempts`` are the runs that were begun and not cut off by us, ``cause`` is the alert or the
    person that asked, ``result`` what it came to. Higher ``priority`` goes first. ``handed_at`` is
    when another engine was asked to work it.
    """

    id: str
    incident: str
    runbook: str
    environment: str
    parameters: Mapping[str, Json]
    cause: str
    priority: int
    state: State
    fence: int
    attempts: int
    worker: str
    queued_at: datetime
    began_at: datetime | None
    beat_at: datetime | None
    ended_at: datetime | None
    result: Mapping[str, Json] | None
    handed_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Whether it still has to end."""
        return self.state in LIVE


class Orders:
    """The orders in one database; a connection is one thread's."""

    def __init__(self, connection: "psycopg.Connection[dict[str, Any]]") -> None:
        self._connection = connection

    def place(
        self,
        *,
        incident: str,
        runbook: str,
        environment: str,
        parameters: Mapping[str, Json],
        cause: str,
        priority: int = 0,
    ) -> tuple[str, bool]:
        """Order a run; return its id, and whether it is new: a live one of the same is joined."""
        from psycopg.types.json import Jsonb

        values = {
            "id": f"O-{secrets.token_hex(6)}",
            "incident": incident,
            "runbook": runbook,
            "environment": environment,
            "parameters": Jsonb(dict(parameters)),
            "cause": cause,
            "priority": priority,
        }
        while True:
            if made := self._connection.execute(_PLACE, values).fetchone():
                return str(made["id"]), True
            # The live one may end between the two statements; then a new one is made.
            if known := self._connection.execute(_LIVE, values).fetchone():
                return str(known["id"]), False

    def claim(self, order: str, *, worker: str, at_most: int) -> KeptOrder | None:
        """Claim a queued order; None where it is not queued, or its environment is busy."""
        with self._connection.transaction():
            known = self.read(order)
            self._connection.execute(_TAKE_TURN, [known.environment])
            values = {"order": order, "worker": worker, "at_most": at_most}
            return _kept(self._connection.execute(_CLAIM, values).fetchone())

    def has_place(self, order: str, *, at_most: int, begun: Collection[str]) -> bool:
        """Tell whether an order waits and its environment is not busy; only a claim makes sure.

        Those that were ``begun`` here and did not claim their place yet have one all the same.
        """
        given = {"order": order, "at_most": at_most, "begun": list(begun)}
        return self._connection.execute(_HAS_PLACE, given).fetchone() is not None

    def hand(self, order: str, *, again_s: float, at_most: int) -> bool:
        """Note that another engine is asked now.

        False where it was in the last ``again_s`` seconds, or where all places of the environment
        are taken by runs, or by orders that were handed over and have yet to begin.
        """
        given = {"order": order, "again_s": again_s, "at_most": at_most}
        with self._connection.transaction():
            self._connection.execute(_TAKE_TURN, [self.read(order).environment])
            return self._connection.execute(_HAND, given).fetchone() is not None

    def beat(self, order: str, fence: int) -> bool:
        """Say that the run of this claim goes on; False where another claim has replaced it."""
        return self._changed(_BEAT, order, fence)

    def finish(self, order: str, fence: int, result: Mapping[str, Json]) -> bool:
        """End an order with what it came to; False where another claim has replaced this one."""
        from psycopg.types.json import Jsonb

        return self._changed(_FINISH, order, fence, result=Jsonb(dict(result)))

    def give_back(self, order: str, fence: int) -> bool:
        """Queue an order again whose run we cut off ourselves; the attempt does not count."""
        return self._changed(_GIVE_BACK, order, fence)

    def sweep(self, *, stall_s: float, attempts: int) -> list[KeptOrder]:
        """Take back every order whose run said nothing for ``stall_s`` seconds, and return them.

        One that was begun ``attempts`` times is given up, the others wait again.
        """
        values = {"stall_s": stall_s, "attempts": attempts}
        return _all(self._connection.execute(_SWEEP, values).fetchall())

    def untold(self) -> list[KeptOrder]:
        """Return the orders that were given up and of which nobody was told yet."""
        return _all(self._connection.execute(_UNTOLD).fetchall())

    def tell(self, order: str, words: str) -> bool:
        """Note that it was told that an order was given up; False where somebody did so before."""
        given = {"order": order, "told": words}
        return self._connection.execute(_TOLD, given).fetchone() is not None

    def retry(self, order: str) -> KeptOrder:
        """Queue an order again that was given up or dropped; raises OrderError for another one."""
        return self._by_hand(_RETRY, order, "Only one that was given up or dropped can be retried.")

    def drop(self, order: str, *, reason: str, by: str) -> KeptOrder:
        """End an order before it runs; raises OrderError for one that is not queued."""
        why = "Only one that is queued can be dropped."
        return self._by_hand(_DROP, order, why, reason=reason, by=by)

    def read(self, order: str) -> KeptOrder:
        """Return an order as it is now; raises OrderError where there is none of that id."""
        found = _kept(self._connection.execute(_ONE, {"order": order}).fetchone())
        if found is None:
            message = f"No order is {order!r}. See those that wait or run: runbook queue"
            raise OrderError(message)
        return found

    def listed(self, *states: State, limit: int = 200) -> list[KeptOrder]:
        """Return the orders in these states: what runs first, then by what goes next."""
        values = {"states": list(states or LIVE), "limit": limit}
        return _all(self._connection.execute(_LISTED, values).fetchall())

    def waiting(self) -> list[str]:
        """Return the ids of the queued orders, what goes next first."""
        return [str(row["id"]) for row in self._connection.execute(_NEXT).fetchall()]

    def running(self, incident: str, runbook: str) -> str:
        """Return the id of the order that runs this runbook in an incident; empty for none."""
        given = {"incident": incident, "runbook": runbook}
        found = self._connection.execute(_RUNNING, given).fetchone()
        return str(found["id"]) if found else ""

    def parameters_of(self, incident: str, runbook: str) -> Mapping[str, Json] | None:
        """Return what the last run by an order was given; None where there was none."""
        given = {"incident": incident, "runbook": runbook}
        found = self._connection.execute(_LAST, given).fetchone()
        return found["parameters"] if found else None

    def _changed(self, statement: str, order: str, fence: int, **values: object) -> bool:
        given = {"order": order, "fence": fence, **values}
        return self._connection.execute(statement.encode(), given).fetchone() is not None

    def _by_hand(self, statement: str, order: str, why: str, **values: object) -> KeptOrder:
        found = self._connection.execute(statement.encode(), {"order": order, **values}).fetchone()
        changed = _kept(found)
        if changed is None:
            message = f"The order {order} is {self.read(order).state}. {why}"
            raise OrderError(message)
        return changed


def _kept(row: Mapping[str, Any] | None) -> KeptOrder | None:
    return KeptOrder(**row) if row else None


def _all(rows: list[dict[str, Any]]) -> list[KeptOrder]:
    return [KeptOrder(**row) for row in rows]
