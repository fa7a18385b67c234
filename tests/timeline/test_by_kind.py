"""A timeline knows where each kind of its events stands, and answers as a plain list does."""

from datetime import UTC, datetime

import pytest

from runbook_nb.redaction import Redactor
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import (
    Asked,
    Checked,
    Classified,
    Closed,
    Evidence,
    Noted,
    Opened,
    Started,
    Verdict,
)
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.writer import WritableTimeline

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def events():
    """Return some events of several kinds, two of them alike."""
    evidence = Evidence(question="q", answer=1, read_at=NOW)
    read = {"verdict": Verdict.PASS, "evidence": evidence, "expect": "at most 5", "if_failed": ""}
    twice = Noted(at=NOW, by="sam", text="twice")
    return [
        Opened(
            at=NOW, incident="INC-1", title="Lag", severity="SEV2", runbook="r", environment="lab"
        ),
        Started(
            at=NOW,
            run="1",
            runbook="r",
            runbook_digest="",
            parameters={},
            environment="lab",
            attended=True,
        ),
        twice,
        Checked(at=NOW, run="1", title="Lag", **read),
        Checked(at=NOW, run="1", title="Queue", **read),
        twice,
        Classified(at=NOW, by="sam", severity="SEV1", before="SEV2", because="All."),
        Asked(at=NOW, question="Page", owner="x"),
        Checked(at=NOW, run="1", title="Lag", **read),
        Closed(at=NOW, by="sam", resolution="Over."),
    ]


@pytest.fixture
def timeline(tmp_path):
    """The events on disk, read by another process's object."""
    writable = WritableTimeline(tmp_path / "INC-1" / "timeline.jsonl", redactor=Redactor())
    for event in events():
        writable.append(event)
    return Timeline(writable.path)


@pytest.mark.parametrize(
    "question",
    [
        queries.opened,
        queries.closed,
        queries.severity_of,
        queries.runs,
        queries.newest,
        queries.first_alert,
        lambda known: queries.of(known, Checked),
        lambda known: queries.last(known, Checked, title="Lag"),
        lambda known: queries.last(known, Checked, title="none"),
        lambda known: list(queries.numbered(known, Noted, Checked)),
        lambda known: queries.after(known, known[6]),
        lambda known: queries.before(known, known[6]),
        lambda known: queries.after(known, known[5]),
    ],
)
def test_each_question_is_answered_as_for_a_plain_list(timeline, question):
    """The index is never another truth."""
    assert question(timeline) == question(list(timeline))


def test_a_reader_sees_what_another_writes_meanwhile(timeline):
    """Its index reads on."""
    other = Timeline(timeline.path)
    assert len(queries.of(other, Noted)) == 2
    fresh = WritableTimeline(
        timeline.path.parents[1] / "INC-2" / "timeline.jsonl", redactor=Redactor()
    )
    reader = Timeline(fresh.path)
    assert queries.last(reader, Noted) is None
    fresh.append(Noted(at=NOW, by="sam", text="now"))

    assert queries.last(reader, Noted).text == "now"
    assert list(queries.numbered(reader, Noted)) == [(1, reader[0])]
