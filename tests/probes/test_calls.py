"""What an action says of itself before it is done, and what ends a call."""

import signal
import threading

import pytest

from runbook_nb.probes.calls import Action, Probe, action, unfinished
from runbook_nb.probes.combine import combine
from runbook_nb.probes.environment import Environment


@action(tells="#ops")
def post(systems, *, text):
    """Tell a channel."""


@action(tells="pager")
def page(systems, *, text):
    """Tell who is on call."""


@action()
def restart(systems):
    """Repair something."""


def test_an_action_says_which_channel_it_tells():
    """One that repairs tells none."""
    assert post(text="slow").tells == ("#ops",)
    assert restart().tells == ()


def test_combined_actions_only_tell_if_all_of_them_do():
    """A restart with a post is a fix."""
    assert combine(post(text="slow"), page(text="slow"), post(text="over")).tells == (
        "#ops",
        "pager",
    )
    assert combine(post(text="slow"), restart()).tells == ()


class Part:
    """An action that writes down what was done and taken back, and with which result."""

    def __init__(self, name, told, *, undo=True):
        def change(_systems):
            told.append(f"do {name}")
            return f"result of {name}"

        def take_back(_systems, result):
            told.append(f"undo {name} by {result}")
            return {}

        back = take_back if undo else None
        self.action = Action(name=name, arguments={}, timeout_s=5, run=change, undo=back)


def test_combined_actions_are_taken_back_the_last_one_first():
    """What was built upon goes last; a part without an undo is passed over."""
    told, systems = [], Environment("trial", {}).writing([])
    parts = (Part("a", told), Part("b", told, undo=False), Part("c", told))
    action = combine(*(part.action for part in parts))
    result = action.do(systems)
    action.take_back(systems, result)

    assert told[:3] == ["do a", "do b", "do c"]
    assert told[3:] == ["undo c by result of c", "undo a by result of a"]


def test_a_call_that_somebody_interrupts_loses_its_connections():
    """What goes on behind their back must not."""
    systems = Environment("trial", {"agent": {"url": "http://127.0.0.1:9"}}).reading([])
    ends = threading.Event()

    def run(systems):
        systems.http("agent")
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        ends.wait(30)

    before = unfinished()
    try:
        with pytest.raises(KeyboardInterrupt):
            Probe(name="tests.wait", arguments={}, timeout_s=30, run=run).read(systems)

        assert systems.http("agent")._client.is_closed
        (left,) = [call for call in unfinished() if call not in before]
    finally:
        ends.set()
    assert left.wait(30)
    assert left not in unfinished()
