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


def verdict(answer, expect, fail=None, *, unit=""):
    read = Evidence(question="q", answer=answer, unit=unit, read_at=datetime.now(UTC))
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


@pytest.mark.parametrize(
    ("limit", "holds", "fails"),
    [
        (at_most(5), [5, 4.9, -6], [5.1]),
        (at_least(5), [5, 5.1], [4.9, -6]),
        (above(5), [5.1], [5, 4.9]),
        (below(5), [4.9, -6], [5, 5.1]),
        (between(3, 5), [3, 4, 5], [2.9, 5.1]),
        (equals(5), [5, 5.0], [4.9, 5.1]),
    ],
    ids=str,
)
def test_a_limit_holds_up_to_what_its_words_say(limit, holds, fails):
    """At the bound itself the words decide."""
    assert {verdict(answer, limit) for answer in holds} == {Verdict.PASS}
    assert {verdict(answer, limit) for answer in fails} == {Verdict.FAIL}


@pytest.mark.parametrize(
    ("answer", "told"), [(5, "pass"), (5.1, "warn"), (8, "warn"), (8.1, "fail")]
)
def test_between_what_is_expected_and_what_fails_lies_a_warning(answer, told):
    """Both bounds are good for nothing worse than their own words."""
    assert verdict(answer, at_most(5), above(8)) is Verdict(told)


def test_a_size_of_unit_is_converted_and_another_kind_is_unknown():
    """A probe may answer in milliseconds what a limit says in seconds."""
    assert verdict(5_000, at_most(5, "s"), unit="ms") is Verdict.PASS
    assert verdict(5_001, at_most(5, "s"), unit="ms") is Verdict.FAIL
    assert verdict(2, at_most(90, "min"), unit="h") is Verdict.FAIL
    assert verdict(1, at_most(90, "min"), unit="h") is Verdict.PASS
    assert verdict(1, at_most(5, "s"), unit="%") is Verdict.UNKNOWN
    assert verdict(1, at_most(5, "%")) is Verdict.UNKNOWN
    assert verdict(1, at_most(5), unit="rows") is Verdict.PASS
