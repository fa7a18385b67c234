"""A clock that differs is told from a service whose loop was blocked and sends a date of before."""

import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runbook_nb.incident.check import read_evidence
from runbook_nb.packs.control_plane.systems import clocks
from runbook_nb.probes.environment import Environment, load_settings

pytestmark = pytest.mark.slow


@contextmanager
def telling(*behind_s):
    """Serve a health that tells a time so many seconds ago, one after the other, then the last."""
    left = list(behind_s)

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ago = left.pop(0) if len(left) > 1 else left[0]
            self.send_response_only(200)
            told = datetime.now(UTC) - timedelta(seconds=ago)
            self.send_header("Date", format_datetime(told, usegmt=True))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    ("told", "expected"),
    [((0,), 0), ((12, 0), 0), ((12, 11, 0), 0), ((60,), 60), ((-60,), 60), ((300, 299), 299)],
)
def test_only_a_clock_that_stays_behind_or_ahead_differs(lab, told, expected):
    """It is asked again once the service has had the time to write its date anew."""
    settings = load_settings()["lab"]
    with telling(*told) as url:
        settings["agent"]["url"] = url
        check = clocks.difference(services=("agent",))
        found = read_evidence(check, Environment("lab", settings), read_at=datetime.now(UTC))
    assert abs(found.answer - expected) <= 2, found
