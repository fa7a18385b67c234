"""One running lab for all tests of its services, and a view of it from outside."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from runbook_nb.packs.control_plane.lab.edge_config import default_config
from runbook_nb.packs.control_plane.lab.inspection import is_healthy
from runbook_nb.packs.control_plane.lab.lab import Lab, LabState
from runbook_nb.timeline.store.embedded.processes import wait_until

SESSIONS = 8
STREAM = "/api/stream/execution"

BEATS = """
SELECT mission_id, (context ->> 'lag_ms')::numeric AS lag_ms, context, created_at
  FROM telemetry_events
 WHERE event_type = 'session_heartbeat' AND agent_name IS NOT NULL AND created_at > %(since)s
 ORDER BY created_at
"""

OPEN_TABS = """
SELECT count(*) AS tabs
  FROM workspace_stream_sessions
 WHERE disconnected_at IS NULL AND session_id = 'tab-' || left(mission_id::text, 8)
"""


@dataclass(kw_only=True)
class LabView:
    """What a test sees of the lab, and the hands it has on it."""

    lab: Lab
    state: LabState
    fly: httpx.Client
    _database: psycopg.Connection[DictRow] | None = None

    def url(self, name: str) -> str:
        """Return the URL of an emulator."""
        return f"http://127.0.0.1:{self.state.ports[name]}"

    def execute(self, statement: str, **parameters: object) -> psycopg.Cursor[DictRow]:
        """Run a statement as the superuser, on a new connection if a test broke the last one."""
        if self._database is None or self._database.closed:
            self._database = psycopg.connect(self.lab.dsn(), autocommit=True, row_factory=dict_row)
        return self._database.execute(statement.encode(), parameters)

    def rows(self, statement: str, **parameters: object) -> list[DictRow]:
        """Ask the database."""
        return self.execute(statement, **parameters).fetchall()

    def restart_database(self) -> None:
        """Stop PostgreSQL and start it again on the same rows and the same port."""
        if self._database is not None:
            self._database.close()
        self.lab.postgres.stop()
        self.lab.postgres.start()

    def now(self) -> datetime:
        """Return the database's time."""
        return self.rows("SELECT clock_timestamp() AS now")[0]["now"]

    def beats(self, since: datetime) -> list[DictRow]:
        """Return the agent's beats since then."""
        return self.rows(BEATS, since=since)

    def beating(self, since: datetime) -> int:
        """Count the missions that beat since then."""
        return len({beat["mission_id"] for beat in self.beats(since)})

    def all_beat(self, *, within_s: float = 10) -> bool:
        """Wait until every live session has beaten from now on."""
        since = self.now()
        return wait_until(lambda: self.beating(since) == SESSIONS, within_s=within_s)

    def mission(self) -> str:
        """Return the id of a live mission."""
        live = "SELECT mission_id FROM mission_sessions WHERE status = 'active' LIMIT 1"
        return str(self.rows(live)[0]["mission_id"])

    def machines(self) -> list[dict[str, Any]]:
        """Return the agent's machines as Fly shows them."""
        return self.fly.get("/machines").json()

    def agent_pid(self, machine: str | None = None) -> int:
        """Return the pid of a machine's process, the only one unless named."""
        files = (self.state.folder / "agents").glob(f"{machine or '*'}.json")
        return json.loads(next(files).read_text())["pid"]

    def signal_agent(self, number: int, machine: str | None = None) -> None:
        """Send a signal to a machine's process."""
        os.kill(self.agent_pid(machine), number)

    def streams_of(self, session: str) -> list[DictRow]:
        """Return the stream rows of a session_id."""
        return self.rows(
            "SELECT * FROM workspace_stream_sessions WHERE session_id = %(session)s",
            session=session,
        )

    @contextmanager
    def stream(self, part: str, **query: str) -> Iterator[httpx.Response]:
        """Open a stream on a live mission at the ui or the edge."""
        asked = {"mission_id": self.mission(), **query}
        url = self.url(part) + STREAM
        with httpx.stream("GET", url, params=asked, timeout=5, trust_env=False) as answer:
            yield answer

    def eventually(self, condition: Callable[[], bool], *, within_s: float = 5) -> bool:
        """Wait until a condition holds; False when it does not in time."""
        return wait_until(condition, within_s=within_s)


@contextmanager
def viewed(lab: Lab) -> Iterator[LabView]:
    """Start a lab, look at it, and end it."""
    state = lab.up()
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{state.ports['fly']}/v1/apps/ai-employee-agent",
            headers={"authorization": f"Bearer {lab.secret('fly.token')}"},
            timeout=20,
            trust_env=False,
        ) as fly:
            seen = LabView(lab=lab, state=state, fly=fly)
            assert seen.eventually(lambda: seen.rows(OPEN_TABS)[0]["tabs"] == SESSIONS)
            yield seen
    finally:
        lab.down()


@pytest.fixture(scope="session")
def view() -> Iterator[LabView]:
    """One lab for the whole session: starting it takes longer than most tests."""
    # Not a folder of pytest's own: the database server's account must be able to enter it.
    with (
        tempfile.TemporaryDirectory(prefix="runbook-lab-") as folder,
        viewed(Lab(Path(folder))) as seen,
    ):
        yield seen


@pytest.fixture
def another_lab() -> Iterator[LabView]:
    """Give a lab of its own to a test that destroys it."""
    with (
        tempfile.TemporaryDirectory(prefix="runbook-lab-") as folder,
        viewed(Lab(Path(folder))) as seen,
    ):
        yield seen


@pytest.fixture
def admin(view: LabView) -> Iterator[httpx.Client]:
    """Open the edge's admin API; the first configuration is back afterwards."""
    ports = view.state.ports
    with httpx.Client(base_url=view.url("edge_admin"), trust_env=False) as client:
        yield client
        first = default_config(listen=ports["edge"], upstream=ports["ui"])
        assert client.post("/load", json=first).status_code == 200


@pytest.fixture
def harmed_agent(view: LabView) -> Iterator[None]:
    """Restart the agent if a test left it harmed."""
    yield
    if not is_healthy(view.state.ports["agent"]):
        assert view.fly.post(f"/machines/{view.machines()[0]['id']}/restart").status_code == 200
