"""The queue: a job is a bell only, so one that is lost or doubled changes nothing."""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from psycopg.rows import dict_row, tuple_row

from runbook_nb.errors import (
    IncidentStateError,
    RecordIntegrityError,
    RunbookError,
    StoreUnavailableError,
)
from runbook_nb.redaction import Redactor
from runbook_nb.service.deliveries import BY, KEEP, Deliveries, kept_as
from runbook_nb.service.findings import given_up, places_of
from runbook_nb.service.notices import Notices, Told
from runbook_nb.service.orders import KeptOrder, Orders
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.service.traces import span
from runbook_nb.service.worker import STALL_S
from runbook_nb.service.workers import Workers
from runbook_nb.timeline.depot import depot_of, keep_runs
from runbook_nb.timeline.events import Noted
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.incidents import maybe_open
from runbook_nb.timeline.store.database import connected
from runbook_nb.timeline.writer import WritableTimeline

TAKING: Final = "deliveries"
WORKING: Final = "orders"
VALIDATING: Final = "validations"
SWEEP_S: Final = 5.0  # how often a worker looks for what nobody rings for any more
_FILES_EVERY_S: Final = 60.0  # how often it looks for files that could not be kept at first
_HANDED_FOR_S: Final = 300.0  # what another engine may take to begin an order
GRACE_S: Final = 25.0  # what a run may take to end once we are asked to
_TAKERS: Final = 2
_AGAIN_AFTER_S: Final = 1.0
_ANSWER_WITHIN_S: Final = 5.0  # what a sender of alerts waits for the store, at most
_WORDS_LIMIT: Final = 2_000  # characters of what a run says to the error stream
_log = logging.getLogger("runbook.service")


class Queue:
    """The jobs of one service: messages to take in, and orders to work."""

    def __init__(self, settings: ServiceSettings, incidents: Path) -> None:
        self._settings, self.incidents = settings, incidents
        self._dsn = settings.store.address()
        self._workers, self._slots = Workers(settings.hand_over, cold=settings.cold), 0
        self._files_at = 0.0
        self._begun, self._beginning = set[str](), asyncio.Lock()
        self._connector = PsycopgConnector(
            conninfo=self._dsn, min_size=1, max_size=8, timeout=_ANSWER_WITHIN_S
        )
        self.app = App(connector=self._connector)
        self._take_in: Any = self.app.task(name="take_in", queue=TAKING)(self._on_delivery)
        self._work: Any = self.app.task(name="work", queue=WORKING)(self._on_order)
        if settings.validate:
            # Of all machines one rings for each time, one works, and one bell waits at most.
            task = self.app.task(
                name="validate", queue=VALIDATING, lock=VALIDATING, queueing_lock="validation waits"
            )
            self.app.periodic(cron=settings.validate)(task(self._on_schedule))

    async def keep(self, source: str, body: bytes) -> None:
        """Keep a message and ring for it, in one transaction.

        Raises psycopg.OperationalError where the store is away: then nothing was kept.
        """
        values = kept_as(source, body, again_after_s=self._settings.again_after_s)
        async with self._pool.connection(_ANSWER_WITHIN_S) as connection, connection.transaction():
            cursor = await connection.cursor(row_factory=tuple_row).execute(KEEP, values)
            delivery, waits = await cursor.fetchone()
            if waits:
                await self._take_in.configure(connection=connection).defer_async(delivery=delivery)

    async def rows(
        self, one: LiteralString, many: LiteralString
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return the one row of a question, and all rows of another."""
        async with self._pool.connection(_ANSWER_WITHIN_S) as connection:
            cursor = connection.cursor(row_factory=dict_row)
            first = await (await cursor.execute(one)).fetchone()
            return first or {}, await (await cursor.execute(many)).fetchall()

    @property
    def _pool(self) -> Any:
        return self._connector.pool

    async def run(self, *, slots: int, ends: asyncio.Event) -> None:
        """Work until ``ends`` is set: then take no more, and let what runs end in its time."""
        self._slots = slots
        takers = self._worker(TAKING, concurrency=_TAKERS, ends=ends)
        runners = self._worker(WORKING, concurrency=slots, ends=ends)
        parts = [takers, runners, self._sweep(ends)]
        if self._settings.validate:
            parts.append(self._worker(VALIDATING, concurrency=1, ends=ends))
        workers = [asyncio.ensure_future(part) for part in parts]
        asked = asyncio.ensure_future(ends.wait())
        await asyncio.wait([asked, *workers], return_when=asyncio.FIRST_COMPLETED)
        ends.set()
        died = [worker for worker in workers if worker.done()]
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        await self._workers.end()
        for worker in died:
            worker.result()

    async def _worker(self, queue: str, *, concurrency: int, ends: asyncio.Event) -> None:
        """Work until the end; where the store is lost, begin again until it is back."""
        # Where the store is lost, the library's worker ends with that and not with our cancelling.
        while not ends.is_set():
            try:
                await self.app.run_worker_async(
                    queues=[queue],
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=GRACE_S,
                    delete_jobs="always",
                    fetch_job_polling_interval=SWEEP_S,
                )
            except ConnectorException as error:
                tell("store lost", queue=queue, error=str(error.__cause__ or error).strip())
                with suppress(TimeoutError):
                    await asyncio.wait_for(ends.wait(), _AGAIN_AFTER_S)
            else:
                return

    async def _on_delivery(self, delivery: int) -> None:
        try:
            with span("delivery", {"delivery": delivery}):
                answer = await asyncio.to_thread(self._answer, delivery)
        except (RunbookError, psycopg.Error, OSError) as error:
            # It still waits, and the next sweep rings for it.
            tell("delivery waits", delivery=delivery, error=Redactor().mask(str(error)))
            return
        for said in answer.said:
            tell("delivery", delivery=delivery, said=said)
        await self._ring(answer.orders)

    def _answer(self, delivery: int) -> Any:
        with connected(self._dsn) as connection:
            return Deliveries(connection, self._settings, self.incidents).take_in(delivery)

    async def _on_order(self, order: str) -> None:
        """Have an order worked by a process of its own, or hand it to another engine."""
        # A process that cannot claim it would be begun for nothing; the next sweep rings again.
        async with self._beginning:
            may_begin = False
            with suppress(StoreUnavailableError):
                may_begin = await asyncio.to_thread(self._may_begin, order)
            if not may_begin:
                return
            self._begun.add(order)
        tell("order begins", order=order, ready=self._workers.are_ready)
        try:
            with span("order", {"order": order}) as parent:
                ended = await self._workers.work(order, parent=parent)
        except asyncio.CancelledError:
            tell("order was cut off", order=order)
            raise
        finally:
            self._begun.discard(order)
        words = Redactor().mask(ended.said[-_WORDS_LIMIT:]).strip()
        tell("order ended", order=order, exit_code=ended.exit_code, said=words)
        # A place is free.
        await self.ring_waiting()
        await self._workers.get_ready(slots=self._slots)
        with suppress(StoreUnavailableError):
            await self._tell_people()

    async def _on_schedule(self, timestamp: int) -> None:
        """Have what is due validated; the next time finds what was left."""
        tell("validation begins", scheduled_at=datetime.fromtimestamp(timestamp, UTC).isoformat())
        ended = await self._workers.validate()
        words = Redactor().mask(ended.said[-_WORDS_LIMIT:]).strip()
        tell("validation ended", exit_code=ended.exit_code, said=words)

    async def _tell_people(self) -> None:
        """Tell every notice that waits; one that is not taken is told later."""
        while self._settings.channels and (told := await asyncio.to_thread(self._tell_next)):
            facts = {"order": told.order, "channel": told.channel, "problem": told.problem}
            tell("not told" if told.problem else "told", notice=told.notice, **facts)

    def _tell_next(self) -> Told | None:
        with connected(self._dsn) as connection:
            return Notices(connection, self._settings.channels).tell_next()

    async def ring_waiting(self) -> None:
        """Ring for the orders that wait; where the store is away, the next sweep does."""
        with suppress(StoreUnavailableError):
            await self._ring(await asyncio.to_thread(self._waiting_orders))

    def _may_begin(self, order: str) -> bool:
        at_most = self._settings.at_most
        with connected(self._dsn) as connection:
            orders = Orders(connection)
            if self._settings.hand_over:
                return orders.hand(order, again_s=_HANDED_FOR_S, at_most=at_most)
            return orders.has_place(order, at_most=at_most, begun=self._begun)

    def _waiting_orders(self) -> list[str]:
        with connected(self._dsn) as connection:
            return Orders(connection).waiting()[: self._settings.at_most]

    async def _sweep(self, ends: asyncio.Event) -> None:
        while not ends.is_set():
            try:
                await self._sweep_once()
            except Exception as error:  # noqa: BLE001 - the next round may be better
                tell("sweep failed", error=Redactor().mask(str(error)))
            with suppress(TimeoutError):
                await asyncio.wait_for(ends.wait(), SWEEP_S)

    async def _sweep_once(self) -> None:
        """Take back what died, and ring for all that waits and may have lost its bell."""
        orders, deliveries = await asyncio.to_thread(self._look_for_lost)
        for delivery in deliveries:
            await _ring(self._take_in, f"delivery {delivery}", delivery=delivery)
        await self._ring(orders)
        await self._workers.get_ready(slots=self._slots)
        await self._tell_people()
        if time.monotonic() >= self._files_at:
            self._files_at = time.monotonic() + _FILES_EVERY_S
            await asyncio.to_thread(self._keep_files)

    def _look_for_lost(self) -> tuple[list[str], list[int]]:
        with connected(self._dsn) as connection:
            orders = Orders(connection)
            for swept in orders.sweep(stall_s=STALL_S, attempts=self._settings.attempts):
                tell("order stalled", order=swept.id, incident=swept.incident, state=swept.state)
            for order in orders.untold():
                self._end_given_up(connection, order)
            waiting = Deliveries(connection, self._settings, self.incidents)
            return orders.waiting(), waiting.waiting(older_s=SWEEP_S)

    def _keep_files(self) -> None:
        """Keep the executed copies of this machine that could not be kept when they were made."""
        if (depot := depot_of(self.incidents)) is None:
            return
        for folder in maybe_open(self.incidents):
            try:
                keep_runs(depot, folder)
            except RecordIntegrityError as error:
                # Of one incident; a depot that is away is away for all.
                tell("files not kept", incident=folder.name, error=str(error))

    def _end_given_up(
        self, connection: psycopg.Connection[dict[str, Any]], order: KeptOrder
    ) -> None:
        words = self._say_given_up(order)
        with connection.transaction():
            if Orders(connection).tell(order.id, words) and self._settings.channels:
                places = places_of(order, self.incidents, self._settings)
                notice = given_up(order, words, self._settings)
                Notices(connection, self._settings.channels).put(order.id, notice, places)

    def _say_given_up(self, order: KeptOrder) -> str:
        """Write on the timeline that nobody goes on with an order, and return the words."""
        text = (
            f"The run of {order.runbook} was begun {order.attempts} times and died each time, so "
            f"it was given up. Run it by hand, or have it retried: runbook queue retry {order.id}"
        )
        folder = IncidentsFolder(self.incidents).incident(order.incident)
        timeline = WritableTimeline(folder.timeline, redactor=Redactor())
        with suppress(IncidentStateError):
            timeline.append(Noted(at=datetime.now(UTC), text=text, by=BY))
        return text

    async def _ring(self, orders: Sequence[str]) -> None:
        for order in orders:
            await _ring(self._work, order, order=order)


async def _ring(task: Any, lock: str, **arguments: Any) -> None:
    """Ring unless a bell for the same thing waits already."""
    # A bell that cannot be rung now is rung by the next sweep.
    with suppress(AlreadyEnqueued, ConnectorException):
        await task.configure(queueing_lock=lock).defer_async(**arguments)


def prepare_queue(dsn: str) -> None:
    """Make the tables of the queue where they are missing; raises StoreUnavailableError."""
    from procrastinate import SyncPsycopgConnector

    with connected(dsn) as connection:
        if _has_tables(connection):
            return
    app = App(connector=SyncPsycopgConnector(conninfo=dsn))
    with app.open():
        app.schema_manager.apply_schema()


def _has_tables(connection: psycopg.Connection[dict[str, Any]]) -> bool:
    found = connection.execute("select to_regclass('procrastinate_jobs') as jobs").fetchone()
    return bool(found and found["jobs"])


def tell(what: str, **facts: object) -> None:
    """Log one line of JSON."""
    _log.info(json.dumps({"at": datetime.now(UTC).isoformat(), "event": what, **facts}))
