"""Readings side by side: as many at once as allowed, each given out once."""

import threading
from itertools import count

import pytest

from runbook_nb.errors import SettingMissingError
from runbook_nb.incident.readings import STANDS_S, Readings
from runbook_nb.probes.calls import Probe
from runbook_nb.probes.environment import Environment
from runbook_nb.testing import Clock

LONG_S = 20


class Crowd:
    """Probes that tell how many of them are on their way at once."""

    def __init__(self, *, until: int = 1) -> None:
        self.lock, self.now, self.most, self.order = threading.Lock(), 0, 0, []
        self.meet = threading.Barrier(until)
        self.with_alone = False

    def probe(self, name: str, *, alone: bool = False, meets: bool = True) -> Probe:
        def run(_systems):
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
                self.with_alone |= alone and self.now > 1
                self.order.append(name)
            if meets and not alone:
                self.meet.wait(LONG_S)
            with self.lock:
                self.now -= 1
            return name

        return Probe(name=name, arguments={}, timeout_s=LONG_S, run=run, alone=alone)


def readings(*, most: int | str = 4, ticks=None) -> Readings:
    environment = Environment("trial", {"kind": "lab", "concurrent_probes": most})
    clock = ticks or (lambda: 0.0)
    return Readings(environment, now=Clock().now, ticks=clock)


@pytest.mark.parametrize("most", [2, 4])
def test_probes_are_read_at_once_as_many_as_the_environment_allows(most):
    """They wait for each other, so that fewer at once would never end."""
    crowd = Crowd(until=most)
    probes = [crowd.probe(f"probe {number}") for number in range(most * 2)]
    taken = readings(most=most)
    taken.begin(probes)

    assert [taken.take(each).answer for each in probes] == [each.name for each in probes]
    assert crowd.most == most


def test_one_that_asks_to_be_alone_is_read_when_no_other_is_on_its_way():
    """Others beside it would change what it measures."""
    crowd = Crowd()
    probes = [crowd.probe(f"probe {number}", alone=number in (0, 2)) for number in range(5)]
    taken = readings()
    taken.begin(probes)

    assert [taken.take(each).answer for each in probes] == [each.name for each in probes]
    assert not crowd.with_alone
    assert set(crowd.order[-2:]) == {"probe 0", "probe 2"}


def test_an_error_is_the_evidence_of_its_own_check():
    """The others have their answers."""

    def broken(_systems):
        raise OSError("refused")

    crowd = Crowd()
    probes = [Probe(name="broken", arguments={}, timeout_s=5, run=broken), crowd.probe("well")]
    taken = readings()
    taken.begin(probes)

    assert "refused" in taken.take(probes[0]).reason
    assert taken.take(probes[1]).answer == "well"


def test_a_reading_is_given_out_once_and_only_to_its_own_probe():
    """The same call of another function is another probe."""
    crowd = Crowd()
    probes = [crowd.probe("one"), crowd.probe("two")]
    taken = readings()
    taken.begin(probes)

    assert taken.take(crowd.probe("one")) is None
    assert taken.take(probes[0]).answer == "one"
    assert taken.take(probes[0]) is None


@pytest.mark.parametrize(("passed_s", "stands"), [(STANDS_S - 1, True), (STANDS_S + 1, False)])
def test_a_reading_stands_for_a_while_after_the_last_one_has_ended(passed_s, stands):
    """By hand a later step reads anew; in a run a slow check makes no other one late."""
    ticks = iter([0.0, 0.0, 0.0, 0.0])
    later = {"passed": 0.0}
    crowd = Crowd()
    probes = [crowd.probe("one"), crowd.probe("two")]
    taken = readings(ticks=lambda: next(ticks, 0.0) + later["passed"])
    taken.begin(probes)
    taken.take(probes[0])
    second = next(each for each in taken._kept if each.probe is probes[1])
    second.ended.wait(LONG_S)
    later["passed"] = passed_s

    assert (taken.take(probes[1]) is not None) is stands


def test_what_is_dropped_is_cut_and_nothing_more_begins():
    """An action is about to change what they read."""
    reached, cut = threading.Event(), threading.Event()
    begun = count()

    def run(_systems):
        next(begun)
        reached.set()
        cut.wait(LONG_S)

    probes = [Probe(name=f"p{n}", arguments={}, timeout_s=LONG_S, run=run) for n in range(6)]
    taken = readings(most=2)
    taken.begin(probes)
    reached.wait(LONG_S)
    taken.drop()
    cut.set()

    assert taken.take(probes[0]) is None
    taken.begin(probes)
    assert taken.take(probes[5]) is None
    assert next(begun) <= 2


def test_what_is_dropped_loses_its_connections():
    """A thread cannot be ended; without them it soon ends itself."""
    opened, reached, held = [], threading.Semaphore(0), threading.Event()

    def run(systems):
        opened.append(systems.http("agent"))
        reached.release()
        held.wait(LONG_S)

    probes = [Probe(name=f"p{n}", arguments={}, timeout_s=LONG_S, run=run) for n in range(2)]
    settings = {"kind": "lab", "agent": {"url": "http://127.0.0.1:9"}}
    taken = Readings(Environment("trial", settings), now=Clock().now)
    taken.begin(probes)
    for _ in probes:
        assert reached.acquire(timeout=LONG_S)
    taken.drop()

    assert [each._client.is_closed for each in opened] == [True, True]
    held.set()


def test_an_interrupt_leaves_no_reading_behind():
    """Ctrl-C while a check waits for its reading cuts them all."""
    reached = threading.Event()

    class Interrupted(threading.Event):
        def wait(self, timeout=None):  # noqa: ARG002 - as a person would
            reached.wait(LONG_S)
            raise KeyboardInterrupt

    held = threading.Event()

    def run(_systems):
        reached.set()
        held.wait(LONG_S)

    probes = [Probe(name=f"p{n}", arguments={}, timeout_s=LONG_S, run=run) for n in range(2)]
    taken = readings()
    taken.begin(probes)
    taken._kept[0].ended = Interrupted()

    with pytest.raises(KeyboardInterrupt):
        taken.take(probes[0])
    held.set()
    assert taken.take(probes[1]) is None


@pytest.mark.parametrize("told", [0, -1, True, "many", 2.5, None])
def test_a_number_of_probes_that_is_none_is_refused(told):
    """Settings are read before anything is asked."""
    with pytest.raises(SettingMissingError, match="concurrent_probes"):
        Environment("trial", {"kind": "lab", "concurrent_probes": told})


def test_a_variable_gives_the_number_as_text():
    """``RUNBOOK_ENVIRONMENTS__STAGING__CONCURRENT_PROBES=2``."""
    environment = Environment("trial", {"kind": "lab", "concurrent_probes": "2"})

    assert environment.concurrent_probes == len("ab")
