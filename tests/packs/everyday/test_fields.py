"""Fields of JSON by their path."""

import pytest

from runbook_nb.errors import NoAnswerError, ParameterError
from runbook_nb.packs.everyday.systems._fields import FieldMissingError, field

POD = {
    "metadata": {"labels": {"app.kubernetes.io/name": "web"}},
    "items": [{"state": "up"}, {"state": "down"}],
    "conditions": [{"type": "Ready", "status": True}, {"type": "Old"}, {"type": "Old"}],
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("items[0].state", "up"),
        ("items[-1].state", "down"),
        ('metadata.labels["app.kubernetes.io/name"]', "web"),
        ("conditions[type=Ready].status", True),
        ("items[state=down]", {"state": "down"}),
        ("", POD),
    ],
)
def test_a_path_leads_to_its_field(path, value):
    """By names, places and what an element holds."""
    assert field(POD, path) == value


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("items[2].state", "items has 2 elements, and none at \\[2\\]"),
        ("items.state", "items is a list, so it has no 'state'"),
        ("metadata.name", "metadata has no 'name'; it has labels"),
        ("conditions[type=Late]", "conditions has no element \\[type=Late\\]"),
        ("nothing", "nothing is null"),
        ("nothing.more", "nothing is null, so it has no 'more'"),
    ],
)
def test_a_field_that_is_not_there_says_how_far_the_path_led(path, reason):
    """And what is there instead."""
    with pytest.raises(FieldMissingError, match=reason):
        field(POD, path)


def test_several_elements_where_one_is_expected_are_an_error():
    """Taking the first one would be a guess."""
    with pytest.raises(NoAnswerError, match=r"2 elements \[type=Old\]"):
        field(POD, "conditions[type=Old]")


@pytest.mark.parametrize("path", ["items[", "a..b", "items[*]", "a b]", ".", "a."])
def test_what_is_no_path_is_refused(path):
    """Before it is taken for an answer."""
    with pytest.raises(ParameterError, match="is no path"):
        field(POD, path)
