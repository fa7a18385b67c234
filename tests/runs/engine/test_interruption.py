"""A signal that asks a run to end is noted once; the next one acts as it would without a run."""

import signal
import threading
from collections.abc import Iterator

import pytest

from runbook_nb.runs.engine.interruption import Interruption

ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class ActedError(Exception):
    """What a signal does where nobody notes it."""


@pytest.fixture(autouse=True)
def before() -> Iterator[None]:
    """Have each signal raise, and give them back after."""

    def raises(signum: int, _frame: object) -> None:
        raise ActedError(signal.Signals(signum).name)

    kept = {signum: signal.signal(signum, raises) for signum in ASKING}
    yield
    for signum, handler in kept.items():
        signal.signal(signum, handler)


@pytest.mark.parametrize("first", ASKING)
@pytest.mark.parametrize("second", ASKING)
def test_the_first_signal_is_noted_and_the_second_acts(first, second):
    """A run that does not end by itself can still be ended."""
    with Interruption() as interruption:
        signal.raise_signal(first)
        assert interruption.caught is first
        with pytest.raises(ActedError, match=second.name):
            signal.raise_signal(second)
        assert interruption.caught is first


def test_the_signals_are_given_back_at_the_end():
    """Whoever took them before has them again."""
    with Interruption() as interruption:
        assert interruption.caught is None

    for signum in ASKING:
        with pytest.raises(ActedError, match=signum.name):
            signal.raise_signal(signum)


def test_the_end_of_a_terminal_stays_ignored_where_it_was():
    """`nohup runbook run` goes on."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGHUP)

        assert interruption.caught is None
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_in_another_thread_the_signals_stay_as_they_are():
    """Only the main thread may take them."""
    kept = signal.getsignal(signal.SIGTERM)
    seen = []

    def runs() -> None:
        with Interruption():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=runs)
    thread.start()
    thread.join()

    assert seen == [kept]
