"""The process with all the emulators: fly, composio, edge, ui, browsers and scheduled jobs.

Run as `python -m runbook_nb.packs.control_plane.lab.services --folder F`. It reads the lab's
secrets in F/secrets and HEARTBEAT_SECONDS, takes free ports, and announces them in F/services.json
once all listen.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.types import ASGIApp

from runbook_nb.packs.control_plane.lab.agent import quiet_server
from runbook_nb.packs.control_plane.lab.agent_database import AgentDatabase
from runbook_nb.packs.control_plane.lab.agent_machine import lasting_port
from runbook_nb.packs.control_plane.lab.browsers import watch_live_missions
from runbook_nb.packs.control_plane.lab.cron import CronWorker
from runbook_nb.packs.control_plane.lab.edge import edge_app
from runbook_nb.packs.control_plane.lab.edge_admin import admin_app
from runbook_nb.packs.control_plane.lab.edge_config import EdgeConfig, default_config
from runbook_nb.packs.control_plane.lab.emulators import EMULATORS, Access
from runbook_nb.packs.control_plane.lab.fly import Fly, release_config
from runbook_nb.packs.control_plane.lab.outage import WithOutages
from runbook_nb.packs.control_plane.lab.received import Recorder
from runbook_nb.packs.control_plane.lab.refusals import REFUSALS
from runbook_nb.packs.control_plane.lab.ui import ui_app
from runbook_nb.packs.control_plane.lab.ui_connect import ConnectCallback
from runbook_nb.packs.control_plane.lab.ui_runtime import connect_route
from runbook_nb.packs.control_plane.lab.ui_streams import AgentClient
from runbook_nb.packs.control_plane.lab.ui_telemetry import StreamTelemetry
from runbook_nb.timeline.store.embedded.files import read_secret, write_whole

_WAITING_CONNECTIONS = 128


class Services:
    """All emulators on one event loop, each on a port of its own."""

    def __init__(self, folder: Path, *, interval_s: float) -> None:
        self._folder = folder
        self._interval_s = interval_s
        self._sockets = {
            name: _listening() for name in ("ui", "edge", "edge_admin", "fly", *EMULATORS)
        }
        self.ports = {
            "agent": lasting_port(),
            **{name: held.getsockname()[1] for name, held in self._sockets.items()},
        }
        self._database = AgentDatabase(read_secret(folder, "agent.dsn"), application_name="ui")
        self._telemetry = StreamTelemetry(self._database)
        self.fly = Fly(
            folder=folder,
            token=read_secret(folder, "fly.token"),
            app_secrets={
                "DATABASE_DSN": read_secret(folder, "agent.dsn"),
                "COMPOSIO_TOKEN": read_secret(folder, "composio.token"),
                "GEMINI_TOKEN": read_secret(folder, "gemini.token"),
            },
            port=self.ports["agent"],
        )

    async def run(self) -> None:
        """Serve until one of the parts fails."""
        async with asyncio.TaskGroup() as parts:
            for name, app in self._apps().items():
                server = quiet_server(Recorder(WithOutages(app, refusal=REFUSALS.get(name))))
                parts.create_task(server.serve(sockets=[self._sockets[name]]))
            parts.create_task(self._telemetry.run())
            await self.fly.create(release_config(self.ports, interval_s=self._interval_s))
            CronWorker(read_secret(self._folder, "postgres.dsn")).start()
            parts.create_task(watch_live_missions(_url(self.ports["edge"]), self._database))
            self._announce()

    def _apps(self) -> dict[str, ASGIApp]:
        config = EdgeConfig(default_config(listen=self.ports["edge"], upstream=self.ports["ui"]))
        agent = AgentClient(url=_url(self.ports["agent"]), interval_s=self._interval_s)
        connect = ConnectCallback(
            self._database,
            composio=_url(self.ports["composio"]),
            key=lambda: read_secret(self._folder, "composio.token"),
        )
        access = Access(folder=self._folder, ports=self.ports)
        return {
            **{name: emulator.make(access) for name, emulator in EMULATORS.items()},
            "fly": self.fly.app,
            "ui": ui_app(
                telemetry=self._telemetry,
                agent=agent,
                connect=connect,
                runtime=connect_route(self._database),
                interval_s=self._interval_s,
            ),
            "edge": edge_app(config),
            "edge_admin": admin_app(config),
        }

    def _announce(self) -> None:
        announced = {"pid": os.getpid(), "ports": self.ports}
        write_whole(self._folder / "services.json", json.dumps(announced))


@contextmanager
def _agents_end_with_us(services: Services) -> Iterator[None]:
    """Kill the agents on SIGTERM and however else we end.

    They are not asked to hand over: what they run is to be resumed when the lab starts again.
    """

    def end() -> None:
        services.fly.kill_all()
        # Threads and open streams would hold the exit up; nothing of ours needs a farewell.
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    try:
        yield
    finally:
        services.fly.kill_all()


async def serve(folder: Path, *, interval_s: float) -> None:
    """Serve the lab in ``folder`` with a beat every ``interval_s`` seconds, until SIGTERM."""
    services = Services(folder, interval_s=interval_s)
    with _agents_end_with_us(services):
        await services.run()


def _listening() -> socket.socket:
    """Return a socket that listens on a free port, so that nobody can take it before us."""
    while True:
        # Named, so that asyncio sends each answer at once: else a second write waits 40 ms.
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            held.bind(("127.0.0.1", lasting_port()))
        except OSError:
            held.close()
            continue
        held.listen(_WAITING_CONNECTIONS)
        return held


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def main() -> None:
    """Run the services of one lab."""
    parser = argparse.ArgumentParser(description="The lab's emulators.")
    parser.add_argument("--folder", required=True, type=Path, help="the lab's folder")
    folder = parser.parse_args().folder
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    asyncio.run(serve(folder, interval_s=float(os.environ.get("HEARTBEAT_SECONDS", "1"))))


if __name__ == "__main__":
    main()
