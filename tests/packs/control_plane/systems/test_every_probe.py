"""Every probe of every runbook against systems that are dead, hang, or answer a web page.

What cannot be read is unknown, within its time, and never a pass. A probe whose very question is
whether a system answers may say so in its own words.
"""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import SimpleNamespace

import pytest

from runbook_nb.incident.check import Check, read_evidence
from runbook_nb.incident.plan import Plan
from runbook_nb.probes.environment import Environment, load_settings
from runbook_nb.runbook.namespace import names_of
from runbook_nb.runbook.parameters import typed
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import Verdict

pytestmark = pytest.mark.slow

# Checks whose question is whether somebody answers: their words for "no" are an answer.
ANSWERS = {
    "Agent health",
    "Callback",
    "Composio answers",
    "Embedding model answers",
    "Model in use answers",
    "Fallback answers",
    "Stream framing",
    "Test stream",
    "User interface",
    "Partner answers",
    "Interface API",
    "Database connections",
    # A refusal is an answer of Composio's, and says how much of its limit is left.
    "Requests unanswered",
    "Their status page",
    "Limit left",
}
# What these read are files of the backup; they ask nobody.
FILES = {
    "Snapshots altered",
    "Log without gaps",
    "Backup intact",
    "Last proven restore",
    "Time to restore",
    "Data lost by restoring",
    "Restored catalogue",
    "Restored rows",
    "Restored embeddings",
    "Restored copy",
}
# A page is what this one asks for, so any page will do.
PAGES = {"User interface"}


def checks() -> Iterator[Check]:
    """Plan the checks of all runbooks with the defaults of their parameters; nothing is read."""
    for runbook in Runbook.every():
        names = names_of(runbook, typed(runbook, {}))
        plan = Plan(runbook, names=lambda names=names: names)
        yield from (plan.check(step.title) for step in runbook.steps if step.verb == "check")


@contextmanager
def web_page() -> Iterator[int]:
    """Serve a page of HTML, whatever is asked."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html><body><h1>We will be back soon</h1></body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@contextmanager
def talker(*said: bytes) -> Iterator[int]:
    """Say the same to everybody who asks, and close."""

    class Same(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass  # The request is read to the end of its head, else the answer is lost.
            self.wfile.write(b"\r\n".join(said))

    with ThreadingTCPServer(("127.0.0.1", 0), Same) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def limited() -> AbstractContextManager[int]:
    """Refuse everybody who asks, as too many do."""
    body = b'{"message": "Rate limit exceeded"}'
    length = b"content-length: %d" % len(body)
    return talker(b"HTTP/1.1 429 Too Many Requests", b"retry-after: 30", length, b"", body)


def cut_off() -> AbstractContextManager[int]:
    """Close the own half of the connection in the middle of the answer."""
    return talker(b"HTTP/1.1 200 OK", b"content-length: 1000", b"", b"[{")


@contextmanager
def black_hole() -> Iterator[int]:
    """Take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as hole:
        yield hole.getsockname()[1]


@contextmanager
def nobody() -> Iterator[int]:
    """Name a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    yield port


def moved(port: int, *, database: bool, write_file) -> Environment:
    """Return the lab's environment with partners, or also the database, moved to that port."""
    settings = load_settings()["lab"]
    for system, values in settings.items():
        if system not in ("kind", "database", "backup"):
            values.update({name: f"http://127.0.0.1:{port}" for name in values if "url" in name})
    if database:
        dsn = write_file("moved.dsn", f"postgresql://nobody:nothing@127.0.0.1:{port}/postgres")
        roles = ("reader", "writer", "owner")
        settings["database"].update(dict.fromkeys(roles, f"file:{dsn}"))
    return Environment("lab", settings)


def read_all(environment: Environment) -> list[SimpleNamespace]:
    """Read every check, many at a time; reading never raises."""

    def read(check: Check) -> SimpleNamespace:
        now = datetime.now(UTC)
        evidence = read_evidence(check.probe, environment, read_at=now)
        checked = check.judged(evidence, at=now, run="", by="")
        return SimpleNamespace(check=check, verdict=checked.verdict, evidence=checked.evidence)

    with ThreadPoolExecutor(24) as readers:
        return list(readers.map(read, checks()))


@pytest.mark.timeout(280)
@pytest.mark.parametrize("partner", [nobody, web_page, black_hole])
def test_with_everything_gone_no_check_passes(lab, write_file, partner):
    """Partners and database alike; each says why, within its time.

    Probes that read files of the backup ask neither.
    """
    with partner() as port:
        read = read_all(moved(port, database=True, write_file=write_file))

    assert len(read) > 50
    assert {one.check.title for one in read if not one.evidence.source} == FILES
    for one in read:
        if one.check.title in FILES or (partner is web_page and one.check.title in PAGES):
            continue
        where = f"{one.check.title}: {one.verdict}, {one.evidence.answer!r}, {one.evidence.reason}"
        assert one.verdict is not Verdict.PASS, where
        assert one.verdict is Verdict.UNKNOWN or one.check.title in ANSWERS, where
        assert one.evidence.reason or one.check.title in ANSWERS, where
        assert one.evidence.took_s < one.check.probe.timeout_s + 3, where


@pytest.mark.timeout(280)
@pytest.mark.parametrize("partner", [nobody, web_page, black_hole, limited, cut_off])
def test_with_the_partners_gone_what_needs_them_is_never_a_pass(lab, write_file, partner):
    """A check that asked a partner has a reason; one that asked the database alone goes on."""
    with partner() as port:
        read = read_all(moved(port, database=False, write_file=write_file))

    for one in read:
        partners = [name for name in one.evidence.source.split(", ") if name != "lab database"]
        asked_http = any("http://" in question for question in one.evidence.asked)
        where = f"{one.check.title} ({partners}): {one.verdict}, {one.evidence.answer!r}"
        if asked_http and one.check.title not in ANSWERS:
            assert one.verdict is Verdict.UNKNOWN, where
        assert one.evidence.took_s < one.check.probe.timeout_s + 3, where
