"""Incidents are found by their words, and only what changed is read again."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from many import write_many
from runbook_nb.record.history import History, IncidentQuery, IncidentStanding
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Alert, Closed, Noted, Verdict
from runbook_nb.timeline.folder import IncidentsFolder
from runbook_nb.timeline.writer import WritableTimeline
from story import ALERT, START, Story, cut_off, healthy, heartbeat

# A timeline counts as settled two seconds after its last change; here time is simply later.
LATER = timedelta(minutes=1)


def opened(incidents: Path, **more: object) -> History:
    """Return a history that looks a minute from now."""
    return History(incidents, now=lambda: datetime.now(UTC) + LATER, **more)


def refreshed(incidents: Path) -> History:
    """Return a history that is up to date."""
    history = opened(incidents)
    history.refresh()
    return history


def found(incidents: Path, text: str = "", **more: object) -> list[str]:
    """Return the folders that a search finds."""
    history = refreshed(incidents)
    return [line.folder for line in history.search(IncidentQuery(text=text, **more)).lines]


TITLE = "Streaming heartbeat fails"
FAILED = "Heartbeat lag p95 over 15 minutes, Sessions without a beat"


@pytest.fixture
def incidents(tmp_path):
    folder = tmp_path / "incidents"
    heartbeat(folder / "INC-2001")
    healthy(folder / "INC-2002")
    cut_off(folder / "INC-2003")
    return folder


def test_an_incident_is_a_line(incidents):
    """What a list needs is there without reading the timeline again."""
    line = next(line for line in refreshed(incidents).lines() if line.folder == "INC-2001")

    assert (line.title, line.severity, line.verdict) == (
        f"{TITLE}: {FAILED} and 2 more failed (lab, 23 Nov 2026, 18:04 UTC)",
        "SEV2",
        Verdict.PASS,
    )
    assert line.standing is IncidentStanding.CLOSED
    assert line.month == "2026-11"
    assert [check.title for check in line.checks if check.worst is Verdict.FAIL] == [
        "Heartbeat lag p95 over 15 minutes",
        "Sessions without a beat",
        "Longest silence",
        "Agent answers",
    ]
    assert [option.heading for option in line.options] == ["Option A: Restart the agent"]
    assert line.runs[0].verdict_s == 11
    assert line.resolve_s == (line.closed_at - line.opened_at).total_seconds()


def test_the_time_to_detect_begins_when_the_alert_says(tmp_path):
    """Where no alert says when it began, it is not known, and not nothing."""
    began = Alert(name="A", fingerprint="f", starts_at=START - timedelta(seconds=90))
    Story(tmp_path / "INC-1").opens(alert=began)
    Story(tmp_path / "INC-2").opens(alert=ALERT)
    known = {line.folder: line.detect_s for line in refreshed(tmp_path).lines()}

    assert known == {"INC-1": 90, "INC-2": None}


def test_words_are_found_wherever_they_were_said(incidents):
    """Title, alert, check, note, answer, action, person."""
    for text in ("streaming", "HeartbeatLagHigh", "longest silence", "1,050,000", "bob", "restart"):
        assert "INC-2001" in found(incidents, text), text
    assert found(incidents, "export hung") == ["INC-2001"]
    assert found(incidents, "export nonsense") == []


def test_the_beginning_of_a_word_is_enough(incidents):
    """A responder types what fits and stops."""
    assert found(incidents, "2001") == ["INC-2001"]
    assert found(incidents, "INC-200", newest=True) == ["INC-2003", "INC-2002", "INC-2001"]
    assert found(incidents, "expo") == ["INC-2001"]


def test_accents_and_capitals_do_not_matter(tmp_path):
    """Benoît is found by benoit."""
    Story(tmp_path / "INC-1").tell(Noted, text="Benoît called.")

    assert found(tmp_path, "BENOIT") == ["INC-1"]


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=40) | st.text(alphabet='"*()^-:+{}\\\0 ANDORNEARtitle', max_size=40))
def test_no_text_is_syntax(text, tmp_path):
    """Whatever is typed is words to look for."""
    if not (tmp_path / "INC-1").exists():
        healthy(tmp_path / "INC-1")
    found(tmp_path, text)


def test_filters_narrow_what_is_found(incidents):
    """Severity, runbook, verdict, month, open, and all of them at once."""
    assert found(incidents, standing=IncidentStanding.OPEN) == ["INC-2003"]
    assert found(incidents, verdict="fail") == ["INC-2003"]
    assert found(incidents, severity="sev2", month="2026-11", runbook="streaming-heartbeat")
    assert found(incidents, severity="SEV1") == []
    assert found(incidents, month="2025-11") == []
    assert found(incidents, runbook="streaming") == []
    assert found(incidents, "restart", verdict="fail") == ["INC-2003"]


def test_drills_can_be_left_out(incidents):
    """A drill is no night to learn from."""
    WritableTimeline(incidents / "INC-2003" / "timeline.jsonl", redactor=Redactor()).append(
        Closed(at=START, resolution="drill")
    )

    assert found(incidents, drills=True) == ["INC-2003"]
    assert "INC-2003" not in found(incidents, drills=False)
    assert len(found(incidents)) == 3


def test_without_words_the_newest_stands_first(tmp_path):
    """A list of incidents begins with tonight."""
    write_many(tmp_path, 5)

    assert found(tmp_path) == ["INC-3005", "INC-3004", "INC-3003", "INC-3002", "INC-3001"]


def test_what_is_in_the_title_stands_before_what_is_said_once(tmp_path):
    """Best first, or newest first if that is wanted."""
    Story(tmp_path / "INC-1").opens(title="The proxy refuses all calls")
    story = Story(tmp_path / "INC-2")
    story.at += timedelta(days=1)
    story.opens(title="Streams freeze")
    story.tell(Noted, text="It was not the proxy, nor the database, nor the network.")

    assert found(tmp_path, "proxy") == ["INC-1", "INC-2"]
    assert found(tmp_path, "proxy", newest=True) == ["INC-2", "INC-1"]


def test_a_search_says_how_many_there_are(tmp_path):
    """The limit cuts what is shown and not what is counted."""
    write_many(tmp_path, 7)
    told = refreshed(tmp_path).search(IncidentQuery(text="ticket", limit=3))

    assert (told.total, len(told.lines)) == (7, 3)
    assert "Ticket" in told.near[told.lines[0].folder]


def test_only_what_changed_is_read_again(incidents):
    """One event more is one incident to read."""
    assert opened(incidents).refresh().read == 3
    assert opened(incidents).refresh().read == 0
    WritableTimeline(incidents / "INC-2003" / "timeline.jsonl", redactor=Redactor()).append(
        Noted(at=START, text="Mended.")
    )

    assert opened(incidents).refresh().read == 1
    assert found(incidents, "mended") == ["INC-2003"]


def test_a_timeline_that_changed_just_now_is_looked_at_once_more(incidents):
    """Two changes within one tick of a file system's clock leave the same time."""
    assert History(incidents).refresh().read == 3
    assert History(incidents).refresh().read == 3


def test_a_change_that_keeps_size_and_time_is_seen(incidents):
    """Who alters a file can set its time back, but not the time of that."""
    import os

    path = incidents / "INC-2001" / "timeline.jsonl"
    found(incidents)
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"export", b"exp0rt"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    line = next(line for line in refreshed(incidents).lines() if line.folder == "INC-2001")
    assert line.standing is IncidentStanding.NOT_WHOLE
    assert line.verdict is Verdict.UNKNOWN
    assert "does not match its hash" in line.problem


def test_a_removed_incident_is_forgotten(incidents):
    """Nothing of it is found any more."""
    assert found(incidents, "export") == ["INC-2001"]
    (incidents / "INC-2001" / "timeline.jsonl").unlink()
    (incidents / "INC-2001").rmdir()

    assert opened(incidents).refresh().gone == 1
    assert found(incidents, "export") == []


def test_what_cannot_be_read_is_listed_with_the_reason(incidents):
    """A missing timeline, a folder in its place, bytes that are none, a copy under another name."""
    (incidents / "INC-2010").mkdir()
    (incidents / "INC-2011" / "timeline.jsonl").mkdir(parents=True)
    (incidents / "INC-2012").mkdir()
    (incidents / "INC-2012" / "timeline.jsonl").write_bytes(b"\xff\xfe{")
    (incidents / "old").mkdir()
    (incidents / "old" / "record.json").write_text("{}")
    (incidents / "copy").mkdir()
    whole = (incidents / "INC-2001" / "timeline.jsonl").read_bytes()
    (incidents / "copy" / "timeline.jsonl").write_bytes(whole)
    wrong = {line.folder: line.problem for line in refreshed(incidents).lines() if line.problem}

    assert wrong.keys() == {"INC-2010", "INC-2011", "INC-2012", "old", "copy"}
    assert "No such file" in wrong["INC-2010"]
    assert "that of INC-2001" in wrong["copy"]


def test_what_is_no_incident_is_left_out(incidents):
    """Hidden files, notes and other folders."""
    (incidents / "README.md").write_text("x")
    (incidents / "notes").mkdir()
    (incidents / ".journals").mkdir()

    assert len(found(incidents)) == 3


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100, b"SQLite format 3\0" * 400])
def test_a_damaged_history_is_made_anew(incidents, content):
    """Nothing is kept in it that the timelines do not hold."""
    found(incidents)
    IncidentsFolder(incidents).history.write_bytes(content)

    assert found(incidents, "export") == ["INC-2001"]


def test_damage_in_the_middle_is_made_anew_when_it_is_met(tmp_path):
    """A header can be whole where the rest is not."""
    write_many(tmp_path, 200)
    found(tmp_path)
    whole = IncidentsFolder(tmp_path).history.read_bytes()
    IncidentsFolder(tmp_path).history.write_bytes(whole[:8192] + b"\0" * (len(whole) - 8192))

    assert len(found(tmp_path, "ticket", limit=0)) == 200


def test_a_history_of_other_code_is_made_anew(incidents):
    """What was folded by another version says other things."""
    found(incidents)
    other = sqlite3.connect(IncidentsFolder(incidents).history)
    other.execute("PRAGMA user_version = 77")
    other.execute("UPDATE lines SET facts = 'nonsense'")
    other.commit()
    other.close()

    assert found(incidents, "export") == ["INC-2001"]


def test_two_at_once_find_the_same(tmp_path):
    """A search in two terminals, on a history that nobody has made yet."""
    write_many(tmp_path, 120)
    told: list[list[str]] = []
    threads = [
        threading.Thread(target=lambda: told.append(found(tmp_path, "ticket", limit=0)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(told) == 4
    assert all(each == told[0] and len(each) == 120 for each in told)


def test_where_the_folder_cannot_be_written_the_cache_keeps_it(incidents, tmp_path):
    """Incidents on a read-only share are searched all the same, and read once."""
    IncidentsFolder(incidents).history.mkdir()  # stands in the way, as a file of another user does
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}

    assert opened(incidents, environ=cache).refresh().read == 3
    assert opened(incidents, environ=cache).refresh().read == 0
    assert len(list((tmp_path / "cache" / "runbook").glob("history-*.sqlite3"))) == 1


def test_where_nothing_can_be_written_memory_keeps_it(incidents, tmp_path):
    """Slower, and never an error."""
    IncidentsFolder(incidents).history.mkdir()
    (tmp_path / "cache").write_text("a file")
    history = opened(incidents, environ={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    history.refresh()

    assert history.search(IncidentQuery(text="export")).total == 1


def test_a_secret_stays_masked_in_the_history(tmp_path):
    """What goes in is what stands in the timeline."""
    story = Story(tmp_path / "INC-1")
    story.timeline.redactor = Redactor(["hunter2-hunter2"])
    story.tell(Noted, text="The password is hunter2-hunter2")
    found(tmp_path)

    assert b"hunter2" not in IncidentsFolder(tmp_path).history.read_bytes()


def test_progress_is_told(tmp_path):
    """The first reading of many incidents takes minutes."""
    write_many(tmp_path, 4)
    told: list[tuple[int, int]] = []
    opened(tmp_path).refresh(lambda done, total: told.append((done, total)))

    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
