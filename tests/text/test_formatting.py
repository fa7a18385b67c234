"""How a value is written out with its unit."""

import pytest

from runbook_nb.text.formatting import said


@pytest.mark.parametrize(
    ("unit", "one"),
    [
        ("chutes", "1 chute"),
        ("policies", "1 policy"),
        ("copies", "1 copy"),
        ("addresses", "1 address"),
        ("opens/min", "1 open/min"),
        ("people", "1 person"),
        ("missing", "1 missing"),
        ("in a row", "1 in a row"),
        ("ms", "1 ms"),
        ("s", "1 s"),
        ("GB", "1 GB"),
        ("status", "1 status"),
        ("%", "1 %"),
    ],
)
def test_after_a_one_the_unit_is_in_the_singular(unit, one):
    """And for every other number it is as the probe says it."""
    assert said(1, unit) == one
    assert said(1.0, unit) == one
    assert said(2, unit) == f"2 {unit}"
    assert said(0, unit) == f"0 {unit}"
