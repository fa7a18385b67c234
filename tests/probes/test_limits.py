"""What a limit cannot compare is unknown, and never a pass."""

from datetime import UTC, datetime

import pytest

from runbook_nb.probes.limits import (
    above,
    at_least,
    at_most,
    below,
    between,
    empty,
    equals,
    judge,
    one_of,
)
from runbook_nb.timeline.events import Evidence, Verdict

NUMERIC = [at_most(5), at_least(-5), above(-1), below(5), between(0, 5), equals(0)]
INFINITE = [float("nan"), float("inf"), float("-inf")]


def verdict(answer, expect, fail=None):
    read = Evidence(question="q", answer=answer, read_at=datetime.now(UTC))
    return judge(read, expect=expect, fail=fail)[0]


@pytest.mark.parametrize("limit", NUMERIC, ids=str)
@pytest.mark.parametrize("answer", [*INFINITE, True, False], ids=str)
def test_what_is_no_number_to_compare_is_unknown(limit, answer):
    """Minus infinity is below every limit, and says nothing."""
    assert verdict(answer, limit) is Verdict.UNKNOWN
    assert verdict(answer, equals(7), limit) is Verdict.UNKNOWN


@pytest.mark.parametrize("answer", ["3", None, [], {}, [1]], ids=str)
def test_another_type_is_unknown_where_a_number_is_compared(answer):
    """A text that looks like a number was not measured."""
    for limit in NUMERIC[:-1]:
        assert verdict(answer, limit) is Verdict.UNKNOWN


def test_truth_is_compared_with_truth_alone():
    """`equals(0)` does not take False for 0, nor `equals(True)` 1 for True."""
    yes, no = equals(value=True), equals(value=False)
    assert verdict(answer=True, expect=yes) is Verdict.PASS
    assert verdict(answer=False, expect=yes) is Verdict.FAIL
    assert verdict(1, yes) is Verdict.UNKNOWN
    assert verdict(0, no) is Verdict.UNKNOWN


def test_words_and_rows_are_compared_as_such():
    """And nothing else is."""
    assert verdict("up", one_of("up", "ok")) is Verdict.PASS
    assert verdict("down", one_of("up", "ok")) is Verdict.FAIL
    assert verdict(None, one_of("up")) is Verdict.UNKNOWN
    assert verdict(["up"], one_of("up")) is Verdict.UNKNOWN
    assert verdict([], empty()) is Verdict.PASS
    assert verdict(0, empty()) is Verdict.UNKNOWN
    assert verdict("", empty()) is Verdict.UNKNOWN
    assert verdict("up", equals("up")) is Verdict.PASS
