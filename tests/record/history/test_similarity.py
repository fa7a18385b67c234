"""What makes two incidents alike, and in which order they are shown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runbook_nb.record.history.features import Past
from runbook_nb.record.history.similarity import similar_to

NOW = datetime(2026, 11, 23, 18, 4, tzinfo=UTC)


def past(incident: str, *failed: str, **words: object) -> Past:
    known = {
        "incident": incident,
        "title": "Streaming heartbeat fails",
        "opened_at": NOW - timedelta(days=int(incident.removeprefix("INC-"))),
        "closed": True,
        "is_drill": False,
        "failed": frozenset(failed),
        "alert": "",
        "runbooks": frozenset({"streaming-heartbeat"}),
        "options": frozenset(),
        "words": frozenset(),
        "resolved_by": "Option A",
        "is_over": True,
    }
    return Past(**{**known, **words})


SUBJECT = replace(past("INC-0", "Lag", "Silence"), closed=False)


def found(*others: Past, **words: object) -> list[str]:
    return [each.incident for each in similar_to(SUBJECT, others, **words)]


def test_the_more_failed_checks_are_the_same_the_higher_it_stands():
    """What the trouble looks like from outside says most."""
    others = [past("INC-1", "Lag"), past("INC-2", "Lag", "Silence"), past("INC-3", "Disk")]

    assert found(*others) == ["INC-2", "INC-1"]


def test_what_was_resolved_comes_before_what_was_not():
    """Whoever looks wants to know what helped."""
    others = [past("INC-1", "Lag", "Silence", is_over=False), past("INC-2", "Lag")]

    assert found(*others) == ["INC-2", "INC-1"]
    unresolved = similar_to(SUBJECT, others)[1]
    assert unresolved.resolution.endswith("not known to be over")


def test_the_order_does_not_hang_on_the_order_they_are_read_in():
    """Of two that are as like, the newer comes first."""
    others = [past(f"INC-{number}", "Lag") for number in (3, 1, 2)]

    assert found(*others) == found(*reversed(others)) == ["INC-1", "INC-2", "INC-3"]


@pytest.mark.parametrize(
    "other",
    [
        past("INC-0", "Lag", "Silence"),
        past("INC-1", "Lag", "Silence", closed=False),
        past("INC-1", "Lag", "Silence", opened_at=NOW + timedelta(seconds=1)),
        past("INC-1", "Lag", "Silence", is_drill=True),
    ],
    ids=["itself", "still open", "later", "a drill"],
)
def test_only_nights_that_are_over_count(other):
    """An incident is no precedent of itself, and a drill taught nothing new."""
    assert found(other) == []


def test_drills_count_when_asked_for():
    """A lab has nothing else."""
    assert found(past("INC-1", "Lag", is_drill=True), drills=True) == ["INC-1"]


def test_the_same_runbook_alone_is_not_like_it():
    """Every run of a runbook would be, also where nothing was wrong."""
    assert found(past("INC-1", options=frozenset({"Option A"}))) == []


def test_the_same_alert_is_like_it_whatever_failed():
    """It may have been looked at too late to see a check fail."""
    subject = replace(SUBJECT, alert="HeartbeatLagHigh")
    other = past("INC-1", alert="HeartbeatLagHigh")

    (each,) = similar_to(subject, [other])

    assert "the same alert, HeartbeatLagHigh" in each.why


def test_many_words_in_common_are_like_it_and_few_are_not():
    """Two notes share a word or two by chance."""
    subject = replace(SUBJECT, words=frozenset({"export", "rows", "hung", "agent"}))
    close = past("INC-1", words=frozenset({"export", "rows", "hung"}))
    far = past("INC-2", words=frozenset({"agent", "disk", "full", "vacuum", "locks"}))

    assert [each.incident for each in similar_to(subject, [close, far])] == ["INC-1"]


def test_the_reason_counts_and_names_what_is_the_same():
    """A score that nobody can check is not believed."""
    (each,) = similar_to(SUBJECT, [past("INC-1", "Lag", "Disk")])

    assert "1 of 3 failed checks the same: Lag" in each.why
    assert 0 < each.score < 1


def test_no_more_are_shown_than_asked_for():
    """The best few are what a responder reads."""
    assert len(found(*(past(f"INC-{n}", "Lag") for n in range(1, 9)), limit=3)) == 3
