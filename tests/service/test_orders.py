"""Orders on a real PostgreSQL: each ends once, whoever dies, freezes or asks twice."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import psycopg
import pytest
from typer.testing import CliRunner

from runbook_nb.authoring.reference import schema
from runbook_nb.cli import app
from runbook_nb.errors import OrderError
from runbook_nb.service.orders import Orders
from runbook_nb.timeline.store.database import connected

pytestmark = pytest.mark.slow

ASKED = {
    "incident": "INC-1",
    "runbook": "queue_backlog",
    "environment": "staging",
    "parameters": {"environment": "staging", "window_s": 60},
    "cause": "QueueDepthHigh",
}


@pytest.fixture
def orders(store):
    with connected(store) as connection:
        yield Orders(connection)


def placed(orders, **changes):
    return orders.place(**{**ASKED, **changes})[0]


def claimed(orders, order, **changes):
    return orders.claim(order, **{"worker": "one", "at_most": 4, **changes})


def test_one_live_order_a_runbook_and_incident(orders):
    """Asked twice it is the same one; after its end it is another."""
    first, is_new = orders.place(**ASKED)
    assert is_new
    assert orders.place(**ASKED) == (first, False)
    claim = claimed(orders, first)
    assert orders.place(**ASKED) == (first, False)
    assert orders.finish(first, claim.fence, {"verdict": "pass"})

    again, is_new = orders.place(**ASKED)
    assert is_new
    assert again != first
    assert placed(orders, runbook="other") not in {first, again}


def test_many_that_ask_at_once_make_one(store):
    """Every one of them is told its id."""

    def ask(_number):
        with connected(store) as connection:
            return Orders(connection).place(**ASKED)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(ask, range(24)))
    assert len({order for order, _ in told}) == 1
    assert sum(is_new for _, is_new in told) == 1


def test_an_order_is_claimed_by_one(store, orders):
    """Eight try."""
    order = placed(orders)

    def claim(number):
        with connected(store) as connection:
            return claimed(Orders(connection), order, worker=str(number))

    with ThreadPoolExecutor(8) as pool:
        won = [each for each in pool.map(claim, range(8)) if each]
    assert len(won) == 1
    assert (won[0].fence, won[0].attempts, won[0].state) == (1, 1, "running")
    assert won[0].parameters == ASKED["parameters"]


def test_no_more_are_handed_over_at_once_than_there_are_places(store, orders):
    """Eight ask at the same moment, and again; one that has begun leaves its place to no other."""
    waiting = [placed(orders, incident=f"INC-{number}") for number in range(8)]

    def hand(order):
        with connected(store) as connection:
            return Orders(connection).hand(order, again_s=300, at_most=3)

    for wanted in (3, 0):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(hand, waiting)) == wanted
    handed = [order for order in waiting if orders.read(order).handed_at]
    claim = claimed(orders, handed[0])
    assert not hand(next(order for order in waiting if order not in handed))
    assert orders.finish(handed[0], claim.fence, {"verdict": "pass"})
    assert hand(next(order for order in waiting if order not in handed))


def test_no_more_runs_at_once_in_an_environment_than_allowed(store, orders):
    """However many claim at the same moment; another environment has its own places."""
    waiting = [placed(orders, incident=f"INC-{number}") for number in range(8)]
    elsewhere = placed(orders, incident="INC-9", environment="production")
    begin = threading.Barrier(8)

    def claim(order):
        with connected(store) as connection:
            begin.wait()
            return claimed(Orders(connection), order, at_most=3)

    with ThreadPoolExecutor(8) as pool:
        won = [each for each in pool.map(claim, waiting) if each]
    assert len(won) == 3
    assert claimed(orders, elsewhere, at_most=3)
    assert orders.finish(won[0].id, won[0].fence, {})
    left = next(order for order in waiting if orders.read(order).state == "queued")
    assert claimed(orders, left, at_most=3)


def test_a_worker_that_wakes_after_it_was_replaced_can_end_nothing(orders):
    """Its claim is an old one."""
    order = placed(orders)
    frozen = claimed(orders, order)
    assert [each.id for each in orders.sweep(stall_s=0, attempts=3)] == [order]
    heir = claimed(orders, order, worker="two")

    assert heir.fence == frozen.fence + 1
    assert not orders.beat(order, frozen.fence)
    assert not orders.finish(order, frozen.fence, {"verdict": "pass"})
    assert not orders.give_back(order, frozen.fence)
    assert orders.read(order).state == "running"
    assert orders.beat(order, heir.fence)
    assert orders.finish(order, heir.fence, {"verdict": "fail"})
    assert orders.read(order).result == {"verdict": "fail"}


def test_a_run_that_beats_is_not_swept(orders):
    """Its time runs from its last beat, by the database's clock."""
    order = placed(orders)
    claim = claimed(orders, order)
    assert orders.beat(order, claim.fence)
    assert orders.sweep(stall_s=30, attempts=3) == []


def test_an_order_is_given_up_after_its_attempts_and_can_be_retried_by_hand(orders):
    """It is said, and nothing is lost."""
    order = placed(orders)
    states = []
    for _attempt in range(3):
        assert claimed(orders, order)
        states += [each.state for each in orders.sweep(stall_s=0, attempts=3)]
    assert states == ["queued", "queued", "given_up"]
    assert claimed(orders, order) is None
    assert orders.retry(order).attempts == 0
    assert claimed(orders, order).fence == 4


def test_what_we_cut_off_ourselves_is_no_attempt(orders):
    """A deploy does not use them up."""
    order = placed(orders)
    for _deploy in range(5):
        claim = claimed(orders, order)
        assert orders.give_back(order, claim.fence)
    assert (orders.read(order).attempts, orders.read(order).state) == (0, "queued")


def test_only_what_waits_can_be_dropped_and_it_says_why(orders):
    """A running one ends by itself."""
    order = placed(orders)
    claimed(orders, order)
    with pytest.raises(OrderError, match="is running"):
        orders.drop(order, reason="wrong", by="ada")
    waiting = placed(orders, incident="INC-2")
    assert orders.drop(waiting, reason="a test", by="ada").result == {
        "reason": "a test",
        "by": "ada",
    }
    with pytest.raises(OrderError, match="runbook queue"):
        orders.read("O-none")
    with pytest.raises(OrderError, match="is running"):
        orders.retry(order)


def test_the_worst_goes_first_and_then_the_oldest(orders):
    """Listed as they will be worked."""
    late = placed(orders, incident="INC-1")
    worst = placed(orders, incident="INC-2", priority=3)
    last = placed(orders, incident="INC-3")
    assert orders.waiting() == [worst, late, last]
    claimed(orders, last)
    assert [each.id for each in orders.listed()] == [last, worst, late]


def test_a_state_that_nobody_knows_is_refused_by_the_database(orders, store):
    """Whoever writes it."""
    order = placed(orders)
    with psycopg.connect(store) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("update runbook.orders set state = 'lost' where id = %s", [order])


@pytest.mark.parametrize("running", [False, True])
def test_the_schema_holds_for_an_order_as_it_is_listed(orders, team, running):
    """Whether it waits or runs."""
    order = placed(orders)
    if running:
        claimed(orders, order)
    told = CliRunner().invoke(app, ["queue", "--json"])
    (listed,) = json.loads(told.stdout)["orders"]
    jsonschema.Draft202012Validator(schema("order")).validate(listed)
    assert (listed["id"], listed["began_at"] is not None) == (order, running)
