"""The end of a message: names that are near, or those there are."""

from runbook_nb.errors import near


def test_where_none_is_near_the_first_names_are_told_and_the_rest_counted():
    """Nobody reads two hundred names."""
    names = [f"fault_{number:03}" for number in range(100)]

    assert near("fault_013", names).startswith("Did you mean 'fault_013'")
    assert near("zzz", names).endswith("fault_022, fault_023, and 76 more.")
    assert near("zzz", names[:24]).endswith("fault_022, fault_023.")
    assert near("zzz", []) == "None is known yet."
