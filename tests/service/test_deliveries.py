"""What is delivered is kept raw, and each alert in it is answered once, or named."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg
import pytest

from runbook_nb.errors import StoreUnavailableError
from runbook_nb.redaction import Redactor
from runbook_nb.service.deliveries import KEEP, Deliveries, kept_as
from runbook_nb.service.orders import Orders
from runbook_nb.timeline.events import Alerted, Cleared, Closed, Opened
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.store.database import connected
from runbook_nb.timeline.writer import WritableTimeline

pytestmark = pytest.mark.slow

BEGAN = "2026-11-27T19:00:00Z"


def alert(fingerprint="f1", **changes):
    labels = {"alertname": "QueueWaitHigh", "severity": "critical"}
    return {
        "status": "firing",
        "labels": labels,
        "fingerprint": fingerprint,
        "startsAt": BEGAN,
        **changes,
    }


def message(*alerts):
    return json.dumps({"version": "4", "alerts": list(alerts)}).encode()


class Receiver:
    """Keeps messages and takes them in, as the web server and a worker do."""

    def __init__(self, team):
        self.team = team

    def keep(self, body, source="alertmanager"):
        with connected(self.team.dsn) as connection:
            again = self.team.settings.again_after_s
            values = kept_as(source, body, again_after_s=again)
            return connection.execute(KEEP, values).fetchone()

    def take_in(self, delivery):
        with connected(self.team.dsn) as connection:
            return Deliveries(connection, self.team.settings, self.team.incidents).take_in(delivery)

    def answer(self, body, source="alertmanager"):
        return self.take_in(self.keep(body, source)["id"])

    def rows(self, statement):
        with connected(self.team.dsn) as connection:
            return connection.execute(statement).fetchall()

    def finish(self, order):
        with connected(self.team.dsn) as connection:
            orders = Orders(connection)
            claim = orders.claim(order, worker="test", at_most=9)
            assert orders.finish(order, claim.fence, {"verdict": "pass"})


@pytest.fixture
def receiver(team):
    return Receiver(team)


def test_an_alert_opens_an_incident_and_orders_one_run(receiver, team):
    """Sent again, by whoever, it is seen before."""
    first = receiver.answer(message(alert()))
    assert len(first.orders) == 1
    (opened,) = team.told("INC-2001")
    assert isinstance(opened, Opened)
    assert (opened.alert.fingerprint, opened.environment) == ("f1", "lab")

    again = receiver.answer(message(alert(), alert("f2")))
    assert "seen before, in INC-2001" in again.said[0]
    assert len(again.orders) == 1  # of the other alert
    (order,) = receiver.rows("select * from runbook.orders where incident = 'INC-2001'")
    assert (order["cause"], order["priority"]) == ("QueueWaitHigh", 2)  # of a SEV2 among four


def test_the_same_message_is_kept_once_and_taken_in_once(receiver):
    """Two peers send it, and it is sent again after an error."""
    body = message(alert())
    first, second = receiver.keep(body), receiver.keep(body)
    assert first["id"] == second["id"]
    assert receiver.take_in(first["id"]).orders
    assert receiver.take_in(first["id"]).said == ()
    assert not receiver.keep(body)["waits"]
    (kept,) = receiver.rows("select * from runbook.delivery")
    assert (kept["times"], kept["body"]) == (3, body)


def test_eight_that_take_the_same_alert_in_at_once_open_one_incident(receiver, team):
    """Whatever order they come in: no deadlock, one order."""
    bodies = [
        message(*(alert(f"f{n}") for n in numbers), alert("x", labels={}))
        for numbers in (
            [1, 2, 3],
            [3, 2, 1],
            [2, 3, 1],
            [1, 3, 2],
            [3, 1, 2],
            [2, 1, 3],
            [1, 2],
            [3, 2],
        )
    ]
    kept = [receiver.keep(body)["id"] for body in bodies]
    begin = threading.Barrier(8)

    def take(delivery):
        begin.wait()
        return receiver.take_in(delivery)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(take, kept))
    assert sum(len(each.orders) for each in answers) == 3
    orders = receiver.rows("select distinct incident from runbook.orders")
    assert len(orders) == 3
    for row in orders:
        assert len(team.told(row["incident"])) == 1


def test_what_died_on_the_way_is_taken_in_by_another_and_opens_nothing_twice(receiver, team):
    """After the incident was opened, before the delivery was said to be taken."""
    body = message(alert())
    kept = receiver.keep(body)["id"]
    receiver.take_in(kept)
    receiver.rows(
        "update runbook.delivery set taken_at = null, "
        "taking_at = clock_timestamp() - interval '2 minutes' returning id"
    )
    assert receiver.take_in(kept).orders == ()
    assert len(team.told("INC-2001")) == 1
    assert len(receiver.rows("select id from runbook.orders")) == 1


def test_an_alert_that_goes_on_orders_again_only_after_a_while(receiver):
    """The last run has ended, and the alert still fires."""
    (order,) = receiver.answer(message(alert())).orders
    receiver.finish(order)
    assert receiver.answer(message(alert(), alert("f9", labels={}))).orders == ()
    receiver.rows(
        "update runbook.orders set ended_at = ended_at - interval '16 minutes' returning id"
    )
    (again,) = receiver.answer(message(alert(), alert("f8", labels={}))).orders
    assert again != order


def test_a_resolved_alert_is_a_line_and_never_a_run(receiver, team):
    """Nor does one that nobody knows open anything."""
    receiver.answer(message(alert()))
    answer = receiver.answer(message(alert(status="resolved"), alert("f7", status="resolved")))
    assert answer.orders == ()
    assert [type(event) for event in team.told("INC-2001")] == [Opened, Cleared]
    assert any("no open incident" in said for said in answer.said)


def test_an_alert_that_fires_on_after_the_close_opens_the_next_incident(receiver, team):
    """The same episode; what was closed stays closed."""
    receiver.answer(message(alert()))
    timeline = WritableTimeline(find(team.incidents, "INC-2001").path, redactor=Redactor())
    timeline.append(Closed(at=datetime.now(UTC), by="ada", resolution="done"))
    answer = receiver.answer(message(alert(), alert("f6", labels={})))
    assert len(answer.orders) == 1
    assert isinstance(team.told("INC-2002")[0], Opened)


def test_another_alert_of_the_same_trouble_joins_by_its_fingerprint(receiver, team):
    """It began anew: another episode of the same alert."""
    receiver.answer(message(alert()))
    answer = receiver.answer(message(alert(startsAt="2026-11-27T19:30:00Z")))
    assert [type(event) for event in team.told("INC-2001")] == [Opened, Alerted]
    assert "placed before" in answer.said[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{}", "has no labels"),
        (b"\xff\x00", "Not understood"),
        (b"[" * 100_000, "Not understood"),
        (message(alert(labels={"alertname": "Nobody"})), "No runbook answers"),
        (message(alert(labels={"alertname": "QueueWaitHigh", "environment": "mars"})), "mars"),
        (message(alert(labels={"severity": "x"})), "alertname"),
        (message(alert(status="hiccup")), "hiccup"),
    ],
)
def test_what_cannot_be_answered_is_named_and_kept(receiver, team, body, said):
    """It is an outcome and no error: the sender would repeat an error for ever."""
    answer = receiver.answer(body)
    assert answer.orders == ()
    assert said in " ".join(answer.said)
    (kept,) = receiver.rows("select * from runbook.delivery")
    assert kept["taken_at"] is not None
    assert said in kept["outcome"]
    assert not team.incidents.exists()


def test_one_bad_alert_stops_no_other(receiver):
    """Each is answered by itself."""
    body = message(alert("a", labels={}), alert("b"), alert("c", labels={"alertname": "Nobody"}))
    answer = receiver.answer(body)
    assert len(answer.orders) == 1
    assert len(answer.said) == 3


def test_a_secret_in_an_alert_stands_in_no_outcome(receiver, team):
    """The raw body is the sender's; what we say of it is masked."""
    labels = {"alertname": "Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789"}
    answer = receiver.answer(message(alert(labels=labels)))
    assert "abcdefghijklmnop" not in " ".join(answer.said)


def test_messages_that_lost_their_bell_are_found(receiver, team):
    """After a while; not those that somebody takes in now."""
    kept = receiver.keep(message(alert()))["id"]
    with connected(team.dsn) as connection:
        deliveries = Deliveries(connection, team.settings, team.incidents)
        assert deliveries.waiting(older_s=60) == []
        assert deliveries.waiting(older_s=0) == [kept]
        connection.execute("update runbook.delivery set taking_at = clock_timestamp()")
        assert deliveries.waiting(older_s=0) == []


@pytest.mark.parametrize("error", [psycopg.OperationalError, StoreUnavailableError])
def test_a_lost_store_leaves_the_message_for_later(receiver, team, monkeypatch, error):
    """Half way: the alert is taken in again, and its incident is the same."""
    kept = receiver.keep(message(alert()))["id"]
    placed = Orders.place

    def lose(self, **asked):
        monkeypatch.setattr(Orders, "place", placed)
        raise error("gone")

    monkeypatch.setattr(Orders, "place", lose)
    with pytest.raises(Exception, match="gone"):
        receiver.take_in(kept)
    receiver.rows("update runbook.delivery set taking_at = null returning id")
    assert len(receiver.take_in(kept).orders) == 1
    assert len(list(team.incidents.glob("INC-*"))) == 1
