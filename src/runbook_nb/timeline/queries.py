"""What the timeline says of an action: done, undone, or begun and never ended; and its terms."""

from collections.abc import Sequence

from runbook_nb.timeline.events import Acted, Acting, Event, Opened, Outcome, Terms, Undone
from runbook_nb.timeline.log import Timeline


def done(timeline: Timeline, title: str) -> Acted | None:
    """Return the done action of that title, unless it was undone since."""
    acted = timeline.last(Acted, title=title, outcome=Outcome.DONE)
    undone = timeline.last(Undone, title=title, outcome=Outcome.DONE)
    return None if acted and undone and undone.at > acted.at else acted


def done_after(timeline: Timeline, acted: Acted) -> str | None:
    """Return the title of another action that was done later and still stands."""
    later = (
        other.title
        for other in timeline.of(Acted)
        if other.outcome is Outcome.DONE and other.at > acted.at and done(timeline, other.title)
    )
    return next((title for title in later if title != acted.title), None)


def begun(timeline: Timeline, title: str) -> Acting | None:
    """Return the newest attempt that has no outcome: it may be half done."""
    acting = timeline.last(Acting, title=title)
    acted = timeline.last(Acted, title=title)
    return None if acting and acted and acted.at >= acting.at else acting


def terms_of(events: Sequence[Event]) -> Terms:
    """Return the terms that the incident was opened with."""
    return next((event.terms for event in events if isinstance(event, Opened)), Terms())
