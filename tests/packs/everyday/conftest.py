"""What tests of the everyday pack share: an environment of named systems, and a loopback server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from runbook_nb.probes.calls import Probe, Reading
from runbook_nb.probes.environment import Environment


class Asker:
    """Reads probes on an environment, and keeps what the systems were asked."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.asked: list[str] = []
        self.source = ""

    def read(self, probe: Probe) -> Reading:
        """Read a probe now."""
        self.asked = []
        systems = self.environment.reading(self.asked)
        try:
            return probe.read(systems)
        finally:
            self.source = systems.source
            systems.close()

    def value(self, probe: Probe) -> Any:
        """Read a probe now and return its answer alone."""
        return self.read(probe).value


@pytest.fixture
def staging() -> Callable[..., Asker]:
    """Make an environment of these systems."""

    def make(**systems: dict[str, Any]) -> Asker:
        return Asker(Environment("staging", {"kind": "staging", **systems}))

    return make


@dataclass
class Service:
    """A service on loopback that gives one answer, and keeps what it was sent."""

    url: str
    received: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(status: int, body: bytes, headers: dict[str, str]) -> Iterator[Service]:
    """Serve one answer to every request."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.received.append((self.command, self.path, dict(self.headers)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    service = Service(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    """Serve one answer on loopback until the test ends."""
    with ExitStack() as stack:

        def start(
            body: str = "{}", *, status: int = 200, kind: str = "application/json", **headers: str
        ) -> Service:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return stack.enter_context(
                serving(status, body.encode(), {"Content-Type": kind, **named})
            )

        yield start
