"""What the settling probes tell of an attempt that nobody saw end: done, not done, or unknowable.

The partners are one small service on loopback, so that an action can be cut off anywhere.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems import agent, composio_keys, restores
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.writing import NoJournal

OWN, OTHER = "run-1.7", "run-2.9"
MACHINES = "/v1/apps/agent/machines"


class Partners:
    """Fly, Composio and Supabase's Management API; a write after ``patience`` of them is refused.

    ``machines`` are the agent's, ``status`` is that of the project, ``handed`` are the keys that
    the agent was handed, and ``refused`` one that Composio does not take. Without ``answers``
    nothing is told.
    """

    def __init__(self) -> None:
        self.machines = [{"id": "m1", "state": "started", "config": {"env": {"A": "1"}}}]
        self.status, self.refused, self.patience = "ACTIVE_HEALTHY", "", 99
        self.answers, self.handed = True, list[str]()

    def answer(self, method: str, path: str, body: dict, key: str) -> tuple[int, object]:
        if not self.answers:
            return 503, {}
        if key and key == self.refused:
            return 401, {}
        if method == "GET":
            listed = {MACHINES: self.machines, "/v1/projects/ref": {"status": self.status}}
            return 200, listed.get(path.partition("?")[0], {})
        if path.startswith("/v1/"):
            self.patience -= 1
            if self.patience < 0:
                return 503, {}
        if method == "DELETE":
            self.machines = [one for one in self.machines if one["id"] not in path]
        elif path == MACHINES:
            added = {"id": f"m{len(self.machines) + 1}", "state": "started", **body}
            self.machines.append(added)
            return 200, added
        elif path.endswith("/secrets"):
            self.handed += body["values"].values()
        return 200, {}


@pytest.fixture
def partners() -> Iterator[Partners]:
    known = Partners()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent = self.rfile.read(int(self.headers.get("content-length") or 0))
            key = self.headers.get("x-api-key", "")
            status, said = known.answer(self.command, self.path, json.loads(sent or b"{}"), key)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    known.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield known
    server.shutdown()
    server.server_close()


class Hand:
    """Does, undoes and settles as an attempt does, on the partners."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def do(self, action, *, attempt=OWN):
        return self._with(self._writing(attempt), action.do)

    def undo(self, action, result, *, attempt=OTHER):
        return self._with(self._writing(attempt), lambda on: action.take_back(on, result))

    def settle(self, action, *, attempt=OWN):
        reading = self.environment.reading([])
        return self._with(reading, lambda on: action.took_effect(on, attempt))

    def _writing(self, attempt):
        journal = NoJournal()
        journal.attempt = attempt
        return self.environment.writing([], journal)

    def _with(self, systems, call):
        try:
            return call(systems)
        finally:
            systems.close()


@pytest.fixture
def key(tmp_path):
    """Our key in its file, with a second one waiting beside it."""
    place = tmp_path / "composio.token"
    place.write_text("ak_first")
    place.with_name("composio.token.next").write_text("ak_second")
    return place


@pytest.fixture
def hand(partners, key) -> Hand:
    systems = {
        "fly": {"url": partners.url, "app": "agent"},
        "composio": {"url": partners.url, "token": f"file:{key}", "agent_variable": "KEY"},
        "supabase_management": {"url": partners.url, "ref": "ref"},
    }
    return Hand(Environment("trial", {"kind": "lab", **systems}))


def held(key):
    return {path.name.removeprefix(key.name): path.read_text() for path in key.parent.iterdir()}


def test_a_scale_out_is_known_by_the_machines_that_it_marked(partners, hand):
    """Not before it, nor by those of another attempt; taken back, it is there no more."""
    action = agent.scale_out(machines=3)
    assert hand.settle(action) is False

    done = hand.do(action)
    assert len(partners.machines) == 3
    assert hand.settle(action) is True
    assert hand.settle(action, attempt=OTHER) is False

    hand.undo(action, done)
    assert hand.settle(action) is False


def test_half_a_scale_out_is_neither_done_nor_not_done(partners, hand):
    """One machine of two came; so also when one of two was taken back."""
    action, partners.patience = agent.scale_out(machines=3), 1
    with pytest.raises(httpx.HTTPStatusError):
        hand.do(action)
    assert len(partners.machines) == 2
    assert hand.settle(action) is None

    partners.patience = 99
    hand.do(action, attempt=OTHER)
    added = {"added": [one["id"] for one in partners.machines[1:]]}
    partners.patience = 1
    with pytest.raises(httpx.HTTPStatusError):
        hand.undo(action, added)
    assert hand.settle(action, attempt=OTHER) is None


def test_a_scale_out_keeps_what_else_marks_a_machine(partners, hand):
    """The mark of the attempt stands beside the metadata that the first machine has."""
    partners.machines[0]["config"]["metadata"] = {"fly_process_group": "app"}
    hand.do(agent.scale_out(machines=2))

    marks = {"fly_process_group": "app", "runbook_attempt": OWN}
    assert partners.machines[1]["config"] == {"env": {"A": "1"}, "metadata": marks}


def test_a_switch_of_keys_is_done_once_the_second_key_is_put_away(partners, hand, key):
    """Before, and after it was taken back, the agent may have either key: nobody can tell."""
    action = composio_keys.switch()
    assert hand.settle(action) is None

    done = hand.do(action)
    assert held(key) == {"": "ak_second", ".previous": "ak_first"}
    assert hand.settle(action) is True

    hand.undo(action, done)
    assert held(key) == {"": "ak_first", ".next": "ak_second"}
    assert hand.settle(action) is None


@pytest.mark.parametrize("writes", [0, 1], ids=["before the agent has it", "as it restarts"])
def test_a_switch_that_was_cut_off_cannot_be_told(partners, hand, key, writes):
    """The file holds the first key, and the agent the one or the other."""
    partners.patience = writes
    with pytest.raises(httpx.HTTPStatusError):
        hand.do(composio_keys.switch())

    assert partners.handed == ["ak_second"][:writes]
    assert hand.settle(composio_keys.switch()) is None


@pytest.mark.parametrize("writes", [0, 1], ids=["before the agent has it", "as it restarts"])
def test_a_switch_that_is_half_taken_back_cannot_be_told(partners, hand, key, writes):
    """It does not stand any more as it was done; what was begun can be taken back again."""
    action = composio_keys.switch()
    done, partners.patience = hand.do(action), writes
    with pytest.raises(httpx.HTTPStatusError):
        hand.undo(action, done)
    assert partners.handed == ["ak_second", "ak_first"][: writes + 1]
    assert hand.settle(action) is None

    partners.patience = 99
    hand.undo(action, done)
    assert held(key) == {"": "ak_first", ".next": "ak_second"}


def test_a_switch_that_changed_nothing_says_so(partners, hand, key):
    """Else a former switch, which stands, would be read as the effect of this attempt."""
    hand.do(composio_keys.switch())
    with pytest.raises(NothingDoneError, match="No second key"):
        hand.do(composio_keys.switch(), attempt=OTHER)

    key.with_name("composio.token.next").write_text("ak_third")
    partners.refused = "ak_third"
    with pytest.raises(NothingDoneError, match="does not work"):
        hand.do(composio_keys.switch(), attempt=OTHER)
    assert partners.handed == ["ak_second"]


def test_a_key_that_was_revoked_is_no_switch(hand, key):
    """Without either file beside it, the key tells nothing of an attempt."""
    key.with_name("composio.token.next").unlink()

    assert hand.settle(composio_keys.switch()) is None


@pytest.mark.parametrize(
    ("status", "told"), [("RESTORING", True), ("ACTIVE_HEALTHY", None), ("COMING_UP", None)]
)
def test_a_restore_in_place_is_known_only_while_it_goes_on(partners, hand, status, told):
    """A project that is up was restored, or never was: the partner does not say."""
    partners.status = status

    assert hand.settle(restores.restore_in_place()) is told


@pytest.mark.parametrize("action", [agent.scale_out(machines=2), restores.restore_in_place()])
def test_a_partner_that_gives_no_answer_settles_nothing(partners, hand, action):
    """It raises, which the settler takes for unknown; "not done" would send it twice."""
    partners.answers = False
    with pytest.raises(httpx.HTTPStatusError):
        hand.settle(action)
