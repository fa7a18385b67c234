"""The web server and the workers of one machine, until a signal asks them to end."""

import asyncio
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook_nb.errors import DatabaseServerError, ParameterError, StoreUnavailableError
from runbook_nb.service.pages import Pages
from runbook_nb.service.queue import Queue, prepare_queue, tell
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.service.traces import send_all
from runbook_nb.service.web import Web
from runbook_nb.timeline.store.database import demand_current, migrate
from runbook_nb.timeline.store.embedded.keeping import kept

if TYPE_CHECKING:
    from runbook_nb.timeline.store.embedded.server import PostgresServer

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_LOOK_S: Final = 2.0  # how often the store is looked after


def serve(
    settings: ServiceSettings,
    incidents: Path,
    *,
    slots: int,
    host: str = "",
    port: int = 0,
) -> None:
    """Work orders, at most ``slots`` at once, and take messages in where a ``host`` is given.

    Returns after SIGTERM or SIGINT: no more is taken, and what runs has had its time to end. Raises
    StoreUnavailableError for a store that is away or has another schema, and ParameterError for an
    address that others could reach: nothing here encrypts, so a proxy on this machine has to. A
    store of this machine's own is begun, brought to this release's schema, and ended with it;
    DatabaseServerError says why it cannot be.
    """
    if host and not _is_loopback(host):
        message = (
            f"{host} can be reached by others, and nothing here encrypts. Listen on 127.0.0.1, and "
            "put a proxy with TLS before it."
        )
        raise ParameterError(message)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("runbook.service").setLevel(logging.INFO)
    # What goes wrong in the queue is told by us, in one line each.
    for library in ("procrastinate", "psycopg.pool"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    with _listener(host, port) as listener, _store(settings) as store:
        queue = Queue(settings, incidents)
        asyncio.run(_serve(queue, settings, slots=slots, listener=listener, store=store))
    send_all()


@contextmanager
def _store(settings: ServiceSettings) -> "Iterator[PostgresServer | None]":
    """Have the store ready: the team's own as it is, or one of this machine's own, which we run."""
    if settings.store.dsn is not None:
        dsn = settings.store.address()
        demand_current(dsn)
        prepare_queue(dsn)
        yield None
        return
    with kept(settings.store.embedded) as store:
        applied = migrate(store.dsn())
        prepare_queue(store.dsn())
        tell("store begun", folder=str(store.folder), applied=applied)
        yield store


async def _keep_up(store: "PostgresServer", ends: asyncio.Event) -> None:
    """Start the store again whenever it fell; workers wait for it meanwhile."""
    port = store.port
    while not ends.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ends.wait(), _LOOK_S)
        if ends.is_set() or store.identity is not None:
            continue
        try:
            await asyncio.to_thread(store.start)
            now = store.port
        except DatabaseServerError as error:
            tell("store cannot start", error=str(error))
            continue
        if now != port:
            message = f"The store came back on port {now}, and not on {port}: begin again."
            raise StoreUnavailableError(message)
        tell("store begun again", folder=str(store.folder))


@contextmanager
def _listener(host: str, port: int) -> Iterator[socket.socket | None]:
    """Open the socket before anything else begins; raises ParameterError for a taken port."""
    if not host:
        yield None
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        message = f"Nobody can listen on {host}, port {port}: {why}. Try another --port."
        raise ParameterError(message) from error
    with opened:
        yield opened


async def _serve(
    queue: Queue,
    settings: ServiceSettings,
    *,
    slots: int,
    listener: socket.socket | None,
    store: "PostgresServer | None",
) -> None:
    ends = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in _SIGNALS:
        loop.add_signal_handler(signum, ends.set)
    async with queue.app.open_async():
        parts = [asyncio.create_task(queue.run(slots=slots, ends=ends))]
        address = ""
        if store is not None:
            parts.append(asyncio.create_task(_keep_up(store, ends)))
        if listener is not None:
            address = "{}:{}".format(*listener.getsockname()[:2])
            parts.append(asyncio.create_task(_listen(queue, settings, listener, ends)))
        tell("serving", address=address, slots=slots)
        try:
            await asyncio.gather(*parts)
        finally:
            ends.set()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*parts, return_exceptions=True)
    tell("ended")


async def _listen(
    queue: Queue, settings: ServiceSettings, listener: socket.socket, ends: asyncio.Event
) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        """A server that leaves signals to us: it would end the process before the workers have."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Take none."""
            yield

    app = Web(queue, settings, Pages(queue, settings, queue.incidents, ends)).app()
    server = Server(uvicorn.Config(app, log_level="warning", server_header=False))
    listening = asyncio.create_task(server.serve(sockets=[listener]))
    asked = asyncio.create_task(ends.wait())
    await asyncio.wait([listening, asked], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await listening


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
