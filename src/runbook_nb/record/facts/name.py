"""What an incident is called where it stands beside others: its title, and what tells it apart."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from runbook_nb.text.formatting import day_of, listed, one_line
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acting, Checked, Event, Verdict

# How the headings of runbooks end; it tells nothing.
_SUFFIX: Final = " — Operational Procedure"
_TITLE: Final = 120  # characters
_WHAT: Final = 140
_NAMED: Final = 2  # checks; more are counted


def name_of(events: Sequence[Event]) -> str:
    """Return the title with the cause or what failed, where and when; empty without a beginning.

    The day and the time are those of the opening, in UTC.
    """
    opened = queries.opened(events)
    if opened is None:
        return ""
    title = one_line(opened.title, _TITLE).removesuffix(_SUFFIX).rstrip(".")
    what = one_line(_what(events), _WHAT).rstrip(".")
    told = f"{title}: {what}" if what and what not in title else title
    return f"{told} ({opened.environment}, {day_of(opened.at)}, {opened.at:%H:%M} UTC)"


def _what(events: Sequence[Event]) -> str:
    """Say why it happened; where nobody knows, what failed before anything was done.

    Where nothing failed and something could not be read, it says so: nobody saw that all was well.
    """
    closed = queries.closed(events)
    if closed and closed.statement.cause:
        return closed.statement.cause
    before = takewhile(lambda event: not isinstance(event, Acting) or bool(event.tells), events)
    checks = queries.of(before, Checked)
    if failed := dict.fromkeys(each.title for each in checks if each.verdict is Verdict.FAIL):
        return f"{_named([*failed])} failed"
    newest = queries.newest(checks)
    if unread := [title for title, each in newest.items() if each.verdict is Verdict.UNKNOWN]:
        return f"{_named(unread)} could not be read"
    return "nothing failed" if queries.of(events, Checked) else ""


def _named(titles: Sequence[str]) -> str:
    more = len(titles) - _NAMED
    return listed([*titles[:_NAMED], *([f"{more} more"] if more > 0 else [])])
