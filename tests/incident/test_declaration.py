"""An incident is declared in the words of who reported it."""

from runbook_nb.incident.declaration import declaration_of
from runbook_nb.record.facts import Record
from runbook_nb.record.history.features import Past
from runbook_nb.record.page import write_record
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import Opened, Reported

WORDS = "streams freeze since noon, key sk-ABCDEFGH12345678abcd"


def declared(incidents, **words):
    runbook = Runbook.find("heartbeat_failure_recovery")
    declaration, _ = declaration_of(runbook, {}, by="sam")
    return declaration.declare(incidents, **{"incident": None, **words})


def test_the_reporters_words_are_on_the_timeline_and_in_the_record(tmp_path):
    """They name the incident, and are masked like everything else."""
    timeline = declared(tmp_path, reported=WORDS)
    reported = timeline.last(Reported)
    folder = timeline.folder.path
    page = write_record(folder).read_text(encoding="utf-8")

    assert reported.words.startswith("streams freeze since noon")
    assert reported.by == "sam"
    assert timeline.last(Opened).title == reported.words
    assert Record.of(timeline).to_json()["reports"][0]["words"] == reported.words
    assert "<q>streams freeze since noon" in page
    assert "freeze" in Past.of(list(timeline)).words
    assert not any(b"sk-ABCDEFGH" in path.read_bytes() for path in folder.iterdir())


def test_what_a_second_person_reports_joins_the_first(tmp_path):
    """The title stays that of the opening."""
    first = declared(tmp_path, reported="streams freeze")
    declared(tmp_path, incident=first.folder.name, reported="the board shows nothing")

    assert [each.words for each in first.of(Reported)] == [
        "streams freeze",
        "the board shows nothing",
    ]
    assert first.last(Opened).title == "streams freeze"


def test_where_nobody_said_anything_nothing_is_reported(tmp_path):
    """A runbook that was named has its own title."""
    timeline = declared(tmp_path, reported=" ")

    assert timeline.last(Reported) is None
    assert timeline.last(Opened).title.startswith("Heartbeat Failure Recovery")
