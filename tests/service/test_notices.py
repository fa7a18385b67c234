"""People are told once: in Slack and in PagerDuty, whoever dies on the way, and in plain words."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from running_service import Service
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from runbook_nb.errors import ParameterError, SettingMissingError
from runbook_nb.packs.control_plane.lab.emulators.pagerduty import FROM, pagerduty_app
from runbook_nb.packs.control_plane.lab.emulators.pagerduty_history import SERVICE
from runbook_nb.packs.control_plane.lab.emulators.slack import INCIDENTS, slack_app
from runbook_nb.project import Project
from runbook_nb.redaction.secrets import parse
from runbook_nb.service.channels import NotToldError, PagerDuty, Slack
from runbook_nb.service.notices import Notice, Notices
from runbook_nb.service.orders import Orders
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.timeline.store.database import connected
from runbook_nb.timeline.store.embedded.processes import wait_until

TOKEN = "xoxb-token-of-a-bot"
PD_TOKEN = "p" * 32
PD_SECRET = "a secret of the webhook"
NOW = datetime.now(UTC)


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve an application on loopback, and return its address."""
    config = uvicorn.Config(app, port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert wait_until(lambda: server.started, within_s=10)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A workspace and a PagerDuty account, with what stands in them."""

    slack_url: str
    pagerduty_url: str

    @property
    def slack(self) -> Slack:
        return Slack(token=parse("env:SLACK_TOKEN", of="'token'"), url=self.slack_url)

    @property
    def pagerduty(self) -> PagerDuty:
        token = parse("env:PD_TOKEN", of="'token'")
        return PagerDuty(token=token, sender=FROM, url=self.pagerduty_url)

    def posts(self) -> list[dict]:
        headers = {"authorization": f"Bearer {TOKEN}"}
        query = {"channel": INCIDENTS}
        url = f"{self.slack_url}/conversations.history"
        return httpx.post(url, headers=headers, json=query).json()["messages"]

    def pagerduty_asked(self, method: str, path: str, **request: object) -> dict:
        headers = {"authorization": f"Token token={PD_TOKEN}", "from": FROM}
        url = f"{self.pagerduty_url}{path}"
        return httpx.request(method, url, headers=headers, **request).json()


@pytest.fixture
def account(monkeypatch, tmp_path):
    monkeypatch.setenv("SLACK_TOKEN", TOKEN)
    monkeypatch.setenv("PD_TOKEN", PD_TOKEN)
    slack, pagerduty = slack_app(token=TOKEN), pagerduty_app(token=PD_TOKEN, lab=tmp_path)
    with served(slack) as slack_url, served(pagerduty) as pagerduty_url:
        yield Account(slack_url=f"{slack_url}/api", pagerduty_url=pagerduty_url)


@pytest.fixture
def order(store):
    """An order in the store, which notices are of."""
    with connected(store) as connection:
        told = {"runbook": "queue_backlog", "environment": "lab", "parameters": {}, "cause": "a"}
        return Orders(connection).place(incident="INC-1", **told)[0]


def due(store):
    """Let the time go by until a notice that was claimed may be claimed again."""
    with connected(store) as connection:
        connection.execute("update runbook.notice set next_at = now() - interval '1 second'")


def test_a_notice_is_told_once_in_each_place(store, order, account):
    """However often it is kept, and however many look for one to tell."""
    notice = Notice(title="INC-1 <!channel> & all", lines=("Fails: A.",), link="https://x/y")
    places = [("slack", INCIDENTS)]

    def tell() -> None:
        with connected(store) as connection:
            while Notices(connection, {"slack": account.slack}).tell_next():
                pass

    with connected(store) as connection:
        notices = Notices(connection, {"slack": account.slack})
        notices.put(order, notice, places)
        notices.put(order, notice, places)
    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    due(store)
    tell()
    (post,) = account.posts()
    assert post["text"].startswith("INC-1 &lt;!channel&gt; &amp; all\nFails: A.\nhttps://x/y\n(O-")


@pytest.mark.parametrize("taken", [True, False])
def test_whoever_died_in_the_middle_is_followed_by_one_who_looks_first(
    store, order, account, taken
):
    """It was told before the death, or it was not: it is told once in the end."""

    class Dying(Slack):
        def tell(self, place, text, mark):
            if taken:
                super().tell(place, text, mark)
            raise SystemExit

    dying = Dying(token=account.slack.token, url=account.slack.url)
    with connected(store) as connection:
        Notices(connection, {"slack": dying}).put(order, Notice(title="T"), [("slack", INCIDENTS)])
        with pytest.raises(SystemExit):
            Notices(connection, {"slack": dying}).tell_next()
        after = Notices(connection, {"slack": account.slack})
        assert after.tell_next() is None, "nobody else may, for a while"
        due(store)
        assert after.tell_next().problem == ""
        due(store)
        assert after.tell_next() is None
    assert len(account.posts()) == 1


def test_a_channel_that_does_not_take_it_is_asked_again_later(store, order, account, monkeypatch):
    """And after a day it is given up; the token is never said."""
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-another-one")
    with connected(store) as connection:
        notices = Notices(connection, {"slack": account.slack})
        notices.put(order, Notice(title="T"), [("slack", INCIDENTS)])
        assert "invalid_auth" in notices.tell_next().problem
        assert notices.tell_next() is None
        monkeypatch.setenv("SLACK_TOKEN", TOKEN)
        due(store)
        assert notices.tell_next().problem == ""
        monkeypatch.setenv("SLACK_TOKEN", "xoxb-another-one")
        notices.put(order, Notice(title="T"), [("slack", "C0HEALTH000")])
        connection.execute("update runbook.notice set made_at = now() - interval '25 hours'")
        assert "xoxb" not in notices.tell_next().problem
        due(store)
        assert notices.tell_next() is None
    assert len(account.posts()) == 1


def test_a_token_that_cannot_be_read_is_told_and_stops_nothing(store, order, account, monkeypatch):
    """What else the service does goes on; the variable is named, and it is tried again."""
    with connected(store) as connection:
        notices = Notices(connection, {"slack": account.slack})
        notices.put(order, Notice(title="T"), [("slack", INCIDENTS)])
        monkeypatch.delenv("SLACK_TOKEN")
        assert "SLACK_TOKEN" in notices.tell_next().problem
        monkeypatch.setenv("SLACK_TOKEN", TOKEN)
        due(store)
        assert notices.tell_next().problem == ""
    assert len(account.posts()) == 1


def test_what_may_have_been_told_and_cannot_be_seen_is_not_told_again(store, order, account):
    """More came to the channel than one answer shows; it is looked for again later."""
    asked = []

    async def busy(request: object) -> JSONResponse:
        asked.append((request.method, request.path_params["name"]))
        return JSONResponse({"ok": True, "messages": [{"metadata": None}], "has_more": True})

    app = Starlette(routes=[Route("/{name}", busy, methods=["GET", "POST"])])
    with served(app) as url, connected(store) as connection:
        slack = Slack(token=account.slack.token, url=url)
        notices = Notices(connection, {"slack": slack})
        notices.put(order, Notice(title="T"), [("slack", INCIDENTS)])
        connection.execute("update runbook.notice set tries = 1")
        assert "not all were seen" in notices.tell_next().problem
    assert asked == [("GET", "conversations.history")]


def test_a_channel_that_asks_to_be_left_alone_is(store, order, account):
    """As long as it says."""

    async def limited(_request: object) -> JSONResponse:
        return JSONResponse({"ok": False}, status_code=429, headers={"retry-after": "900"})

    with served(Starlette(routes=[Route("/{any:path}", limited, methods=["POST"])])) as url:
        busy = Slack(token=account.slack.token, url=url)
        with connected(store) as connection:
            notices = Notices(connection, {"slack": busy})
            notices.put(order, Notice(title="T"), [("slack", INCIDENTS)])
            assert "429 Too Many Requests" in notices.tell_next().problem
            (row,) = connection.execute(
                "select extract(epoch from next_at - now()) as left from runbook.notice"
            ).fetchall()
    assert 850 < row["left"] < 901


def test_what_answers_otherwise_than_documented_took_nothing(account):
    """A page, a list, a text, a status that no standard names, nobody."""

    async def odd(request: object) -> JSONResponse:
        kind = request.path_params["kind"]
        status = 520 if kind == "status" else 200
        return JSONResponse({"page": "<html>", "list": []}.get(kind), status_code=status)

    with served(Starlette(routes=[Route("/{kind}/{any:path}", odd, methods=["POST"])])) as url:
        for kind in ("page", "list", "missing", "status"):
            with pytest.raises(NotToldError):
                Slack(token=account.slack.token, url=f"{url}/{kind}").tell("C0", "text", "mark")
    with pytest.raises(NotToldError, match="did not answer"):
        Slack(token=account.slack.token, url="http://127.0.0.1:1").tell("C0", "text", "mark")


def test_a_note_of_pagerduty_is_found_again(account):
    """By its mark, in the incident's notes."""
    wanted = {"incident": {"title": "QueueWaitHigh", "service": {"id": SERVICE}}}
    place = account.pagerduty_asked("POST", "/incidents", json=wanted)["incident"]["id"]

    assert not account.pagerduty.has(place, "O-1 N-1", since=NOW)
    account.pagerduty.tell(place, "Found.\n(O-1 N-1)", "O-1 N-1")
    assert account.pagerduty.has(place, "O-1 N-1", since=NOW)
    with pytest.raises(NotToldError, match="404 Not Found"):
        account.pagerduty.tell("Q0/../x", "text", "mark")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('[serve.tell.slack]\ntoken = "env:SLACK_TOKEN"\nchannel = "#incidents"', "channel's id"),
        ('[serve.tell.slack]\ntoken = "env:SLACK_TOKEN"', "channel"),
        ('[serve.tell.slack]\ntoken = "xoxb-1"\nchannel = "C0INCIDENTS"', "token"),
        ('[serve.tell.pagerduty]\ntoken = "env:PD_TOKEN"', "from"),
        (
            '[serve.tell.pagerduty]\ntoken = "env:X"\nfrom = "a@b.c"\nurl = "http://api.test"',
            "https",
        ),
        ('[serve.tell.teams]\ntoken = "env:X"', "teams"),
        ('[serve.tell]\nslack = "C0"', "slack"),
    ],
)
def test_a_channel_that_is_written_wrong_is_refused_at_once(team, table, said):
    """With file and key, before anything runs."""
    file = team.root / "runbook.toml"
    file.write_text(f"{file.read_text()}\n{table}\n")
    with pytest.raises((ParameterError, SettingMissingError), match=said):
        ServiceSettings.read(Project.read(team.root))


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_was_found_is_told_where_people_read(team, token, account, monkeypatch):
    """From PagerDuty's message to its note and to the room: what fails, the way, and its risk."""
    wanted = {"incident": {"title": "[FIRING:1] QueueWaitHigh <!here>", "service": {"id": SERVICE}}}
    paged = account.pagerduty_asked("POST", "/incidents", json=wanted)["incident"]
    monkeypatch.setenv("PD_SECRET", PD_SECRET)
    file = team.root / "runbook.toml"
    told = f"""
[serve.sources.pagerduty]
secret = "env:PD_SECRET"
[serve.tell.slack]
token = "env:SLACK_TOKEN"
channel = "{INCIDENTS}"
url = "{account.slack_url}"
[serve.tell.pagerduty]
token = "env:PD_TOKEN"
from = "{FROM}"
url = "{account.pagerduty_url}"
"""
    text = file.read_text().replace("[serve]\n", '[serve]\npage = "https://runbooks.example.com"\n')
    file.write_text(text + told)
    service = Service(team, token, "--port", "0")
    try:
        event = {"event_type": "incident.triggered", "data": paged}
        body = json.dumps({"event": event}).encode()
        signature = hmac.new(PD_SECRET.encode(), body, hashlib.sha256).hexdigest()
        sent = {"x-pagerduty-signature": f"v1={signature}"}
        answer = httpx.post(f"{service.url}/hooks/pagerduty", content=body, headers=sent)
        assert answer.status_code == 202
        assert wait_until(lambda: len(service.said("told")) == 2, within_s=90)
    finally:
        assert service.end() == 0
    (post,) = account.posts()
    (note,) = account.pagerduty_asked("GET", f"/incidents/{paged['id']}/notes")["notes"]
    incident = service.orders("done")[0].incident
    assert post["text"].startswith(f"{incident}, SEV2 in lab: ")
    assert "<!here>" not in post["text"]
    assert "Not read: Workers: " in note["content"]
    assert f"https://runbooks.example.com/incidents/{incident}" in note["content"]
