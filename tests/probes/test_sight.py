"""A probe proves that it could have seen before it counts."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.sight import (
    MOST_PAGES,
    Page,
    age_of,
    demand_all_lines,
    demand_samples,
    demand_window,
    every_page,
)

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


def listing(pages):
    """Return what fetches pages by their number."""
    return lambda after: pages[int(after or 0)]


def test_all_pages_are_one_listing():
    """The last says that nothing follows."""
    pages = [Page(items=[{"id": 1}], after="1"), Page(items=[{"id": 2}], after=None, total=2)]
    assert [one["id"] for one in every_page(listing(pages), what="accounts")] == [1, 2]


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([Page(items=[{}], after="0")], "begins again"),
        ([Page(items=[{}], after=None, total=3)], "holds 1 of 3"),
    ],
)
def test_a_listing_that_shows_not_all_is_no_answer(pages, why):
    """Fewer items look like health, or like loss."""
    with pytest.raises(NoAnswerError, match=why):
        every_page(listing(pages), what="accounts")


def test_a_listing_that_never_ends_is_no_answer():
    """It is left after a thousand pages."""
    with pytest.raises(NoAnswerError, match=f"after {MOST_PAGES} pages"):
        every_page(lambda after: Page(items=[], after=f"{after}x"), what="posts")


def test_what_is_dated_in_the_future_is_not_fresh():
    """Seconds are two clocks that keep time; minutes are one that does not."""
    assert age_of(NOW - timedelta(hours=2), now=NOW, what="It") == timedelta(hours=2)
    assert age_of(NOW + timedelta(seconds=2), now=NOW, what="It") == timedelta(0)
    with pytest.raises(NoAnswerError, match="17 min in the future"):
        age_of(NOW + timedelta(minutes=17), now=NOW, what="The newest beat")


@pytest.mark.parametrize("oldest", [None, NOW - timedelta(hours=1)])
def test_a_window_that_is_not_kept_is_no_answer(oldest):
    """What is older than the oldest row was not seen."""
    with pytest.raises(NoAnswerError):
        demand_window(oldest, since=NOW - timedelta(hours=2), what="event")
    demand_window(NOW - timedelta(hours=3), since=NOW - timedelta(hours=2), what="event")


def test_too_few_samples_are_no_answer():
    """One user's luck."""
    demand_samples(20, needed=20, what="events")
    with pytest.raises(NoAnswerError, match="Only 3 events; 20 are needed"):
        demand_samples(3, needed=20, what="events")


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("select count(*) from pg_stat_activity", True),
        ("select * from PG_STAT_REPLICATION", True),
        ("select last_archived_wal from pg_stat_archiver", False),
        ("select count(*) from missions", False),
    ],
)
def test_statistics_that_show_a_role_its_own_lines_ask_for_its_right(question, asked):
    """Other questions cost nothing more."""
    proofs = []

    def ask(proof):
        proofs.append(proof)
        return {"sees": False}

    if asked:
        with pytest.raises(NoAnswerError, match="pg_read_all_stats"):
            demand_all_lines(question, ask)
    else:
        demand_all_lines(question, ask)
    assert bool(proofs) is asked
