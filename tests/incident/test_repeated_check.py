"""A check that is repeated holds in a row, or it does not, and the wait has an end."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.incident.verification import LONGEST_S, RepeatedCheck
from runbook_nb.timeline.events import Checked, Evidence, Verdict

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def repeated(told, *, ticks=lambda: 0.0):
    """Repeat a check that answers so in turn, the last for ever; sleeping is written down."""
    verdicts = iter(told)
    last = [told[-1]]
    slept = []

    def read():
        verdict = Verdict(next(verdicts, last[0]))
        evidence = Evidence(question="?", read_at=NOW)
        return Checked(at=NOW, title="Lag", verdict=verdict, evidence=evidence, expect="")

    def sleep(seconds):
        slept.append(seconds)
        assert len(slept) < 1_000, "It waits for ever."

    checked = RepeatedCheck(read=read, ticks=ticks, sleep=sleep, waits=lambda *_told: None)
    return checked, slept


@pytest.mark.parametrize(
    ("told", "verdict", "held"),
    [
        (["fail", "pass", "pass"], "pass", 2),
        (["pass", "fail", "pass", "pass"], "pass", 2),
        (["pass", "unknown", "pass", "pass"], "pass", 2),
        (["fail"], "fail", 0),
        (["unknown"], "unknown", 0),
    ],
)
def test_readings_hold_in_a_row_or_not_at_all(told, verdict, held):
    """A failure in between begins anew."""
    check, slept = repeated(told)
    found = check.run(within=timedelta(minutes=1), readings=2)

    assert (found["verdict"], found["readings"]) == (Verdict(verdict), held)
    assert (len(slept) == len(told) - 1) is (verdict == "pass")


def test_a_pass_that_was_not_held_long_enough_is_a_warning():
    """Time was up after the first of two."""
    check, slept = repeated(["fail", "pass"])
    found = check.run(within=timedelta(seconds=0.25), readings=2)

    assert (found["verdict"], found["readings"], found["wanted"]) == (Verdict.WARN, 1, 2)
    assert len(slept) == 1


def test_the_wait_ends_by_what_was_slept_though_the_clock_stands_still():
    """A machine that was put to sleep counts too little, and nobody waits for ever."""
    check, slept = repeated(["fail"])
    found = check.run(within=timedelta(minutes=30), readings=1)

    assert sum(slept) == found["took_s"] == 1_800
    assert max(slept) == LONGEST_S


def test_a_look_reads_once_and_sleeps_never():
    """Where nothing was done there is nothing to wait for."""
    check, slept = repeated(["fail", "pass"])
    found = check.look(None)

    assert (found["verdict"], found["waited"], slept) == (Verdict.FAIL, False, [])
