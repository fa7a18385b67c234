"""What an action says of itself before it is done."""

from runbook_nb.probes.calls import action
from runbook_nb.probes.combine import combine


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
