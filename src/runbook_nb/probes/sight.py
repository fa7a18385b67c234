"""What a probe proves before it counts: that it could have seen, and that what it saw is of now.

Each of these raises NoAnswerError with what is missing, so that the verdict is *unknown*: nothing
seen by somebody who could not see is no health, and no loss.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.text.durations import words

# Two clocks that keep time differ by less; what is dated later than this is of another clock.
CLOCKS_AGREE: Final = timedelta(seconds=5)
# More pages than this is a listing that never ends.
MOST_PAGES: Final = 1000
# PostgreSQL shows these to everybody, and to most only their own lines.
_STATISTICS: Final = re.compile(
    r"\bpg_stat_(?:activity|replication|wal_receiver|subscription|ssl|statements)\b", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a listing: its items, where the next one begins, how many there are in all."""

    items: list[dict[str, Any]]
    after: str | None
    total: int | None = None


def every_page(fetch: Callable[[str | None], Page], *, what: str) -> list[dict[str, Any]]:
    """Return the items of all pages; ``fetch`` is given where the page begins, first None.

    Raises NoAnswerError where the listing goes round in a circle or does not end, and where it
    holds fewer items than it says that there are.
    """
    found, begins, seen, page = [], None, set[str](), None
    for _number in range(MOST_PAGES):
        page = fetch(begins)
        found += page.items
        begins = page.after
        if begins is None:
            break
        if begins in seen:
            message = f"The list of {what} begins again at {begins!r}: not all of it can be read."
            raise NoAnswerError(message)
        seen.add(begins)
    if begins is not None:
        message = f"The list of {what} has not ended after {MOST_PAGES} pages."
        raise NoAnswerError(message)
    if page is not None and page.total is not None and len(found) < page.total:
        message = f"The list of {what} holds {len(found)} of {page.total}: the rest was not shown."
        raise NoAnswerError(message)
    return found


def age_of(at: datetime, *, now: datetime, what: str) -> timedelta:
    """Return how old something is; raises NoAnswerError where it is dated in the future.

    What a clock that is ahead has stamped would look fresh for as long as it is ahead.
    """
    age = now - at
    if age < -CLOCKS_AGREE:
        message = (
            f"{what} is dated {words(-age)} in the future, at {at:%Y-%m-%d %H:%M:%S %Z}: the clock "
            "that stamped it is ahead, so its age is not known. Compare the clocks."
        )
        raise NoAnswerError(message)
    return max(age, timedelta(0))


def demand_window(oldest: datetime | None, *, since: datetime, what: str) -> None:
    """Raise NoAnswerError where the oldest that is kept is younger than the window's beginning."""
    if oldest is None:
        message = f"There is no {what} at all."
        raise NoAnswerError(message)
    if oldest > since:
        message = (
            f"The oldest {what} is of {oldest:%Y-%m-%d %H:%M:%S %Z}: the time from "
            f"{since:%Y-%m-%d %H:%M:%S %Z} on cannot be seen whole."
        )
        raise NoAnswerError(message)


def demand_samples(count: int, *, needed: int, what: str) -> None:
    """Raise NoAnswerError below a number of samples: fewer are one user's luck, or no traffic."""
    if count < needed:
        message = f"Only {count} {what}; {needed} are needed to tell."
        raise NoAnswerError(message)


def demand_all_lines(question: str, ask: Callable[[str], Mapping[str, Any]]) -> None:
    """Raise NoAnswerError where a question names what PostgreSQL shows this role only in part."""
    if _STATISTICS.search(question):
        proof = ask("select pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees")
        if not proof["sees"]:
            message = (
                "The reading role sees only its own lines of PostgreSQL's statistics. "
                "Grant it pg_read_all_stats, or pg_monitor."
            )
            raise NoAnswerError(message)
