"""The timeline: append-only, hash-chained, safe with two writers."""

import fcntl
import inspect
import json
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from runbook_nb.errors import IncidentStateError, ParameterError, RecordIntegrityError
from runbook_nb.redaction import Redactor
from runbook_nb.text.files import sync_folder, write_atomically
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Approved,
    Checked,
    Closed,
    Evidence,
    Noted,
    Outcome,
    Sending,
    Settled,
    Settlement,
    Undone,
    Verdict,
)
from runbook_nb.timeline.log import Timeline, hash_of, line_of
from runbook_nb.timeline.writer import WritableTimeline

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OWN, OTHER = "run-1.2", "run-9.9"  # an attempt that began before the close, and one that did not
CALL = {"title": "Restart", "call": "agent.restart()"}
WORDS = {"option": "Option A", "because": "Lag", "risk": "Calls are cut.", "undo": "None."}


def note(text):
    return Noted(at=NOW, run="r", by="sam", text=text)


@pytest.fixture
def timeline(tmp_path):
    timeline = WritableTimeline(tmp_path / "timeline.jsonl", redactor=Redactor())
    for text in ("one", "two", "three"):
        timeline.append(note(text))
    return timeline


def test_events_come_back_as_they_were_written(tmp_path):
    """Types and all."""
    timeline = WritableTimeline(tmp_path / "timeline.jsonl", redactor=Redactor())
    evidence = Evidence(question="q", answer=[{"a": 1.5}], unit="s", asked=("x",), read_at=NOW)
    written = timeline.append(
        Checked(at=NOW, title="Lag", verdict=Verdict.FAIL, evidence=evidence, expect="at most 5 s")
    )

    assert list(Timeline(timeline.path)) == [written]
    assert written.evidence == evidence


def test_each_line_names_the_one_before(timeline):
    """The chain is in the file, not in our memory."""
    lines = [json.loads(line) for line in timeline.path.read_text().splitlines()]

    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert lines[1]["prev"] == lines[0]["hash"]
    assert timeline.verify() == lines[2]["hash"] == timeline.head


@pytest.mark.parametrize("position", range(0, 700, 23))
def test_a_flipped_bit_is_found(timeline, position):
    """Wherever it is."""
    content = bytearray(timeline.path.read_bytes())
    content[position % len(content)] ^= 1
    timeline.path.write_bytes(content)

    with pytest.raises(RecordIntegrityError):
        Timeline(timeline.path).verify()


def test_a_removed_line_is_found_and_named(timeline):
    """The second line is the third now."""
    lines = timeline.path.read_text().splitlines(keepends=True)
    timeline.path.write_text(lines[0] + lines[2])

    with pytest.raises(RecordIntegrityError, match="event 2"):
        Timeline(timeline.path).verify()


def test_a_line_that_was_rewritten_with_a_hash_of_its_own_is_found_by_the_next(timeline):
    """Each line holds the hash of the one before it."""
    lines = timeline.path.read_bytes().splitlines(keepends=True)
    stored = json.loads(lines[1])
    del stored["hash"]
    stored["text"] = "another"
    lines[1] = line_of(stored, hash_of(stored))
    timeline.path.write_bytes(b"".join(lines))

    with pytest.raises(RecordIntegrityError, match="event 3"):
        Timeline(timeline.path).verify()


@pytest.mark.parametrize(
    "event",
    [
        Noted(at=NOW.replace(tzinfo=None), text="one"),
        Checked(
            at=NOW,
            title="Lag",
            verdict=Verdict.PASS,
            evidence=Evidence(question="?", read_at=NOW.replace(tzinfo=None)),
            expect="at most 5 s",
        ),
    ],
    ids=["its own", "that of its evidence"],
)
def test_a_time_without_a_zone_is_not_written(timeline, event):
    """No record could ever be made of it."""
    before = timeline.path.read_bytes()
    with pytest.raises(ParameterError, match="no zone"):
        timeline.append(event)

    assert timeline.path.read_bytes() == before


def test_a_line_cut_off_by_a_crash_is_set_aside_and_noted(timeline):
    """It was never acknowledged; what was is kept."""
    whole = timeline.path.stat().st_size
    timeline.path.write_bytes(timeline.path.read_bytes() + b'{"at":"2026')
    with pytest.raises(RecordIntegrityError, match="cut off"):
        timeline.verify()

    WritableTimeline(timeline.path, redactor=Redactor()).append(note("four"))

    texts = [event.text for event in Timeline(timeline.path)]
    assert texts[:3] == ["one", "two", "three"]
    assert "11 bytes" in texts[3]
    assert texts[4] == "four"
    assert timeline.verify()
    assert timeline.path.stat().st_size > whole


def test_a_line_that_comes_while_the_file_is_read_is_no_flaw(timeline, monkeypatch):
    """A run goes on while somebody verifies."""
    read, late = Timeline._read_file, [note("four")]

    def with_a_writer(self):
        read(self)
        if late:
            WritableTimeline(timeline.path, redactor=Redactor()).append(late.pop())

    monkeypatch.setattr(Timeline, "_read_file", with_a_writer)

    assert [event.text for event in timeline.anew()] == ["one", "two", "three", "four"]


def test_a_line_that_is_half_written_by_a_halted_writer_is_told(timeline):
    """Who verifies waits for a moment, and not for ever."""
    with timeline.path.open("ab") as halted:
        fcntl.flock(halted, fcntl.LOCK_EX)
        halted.write(b'{"at":"2026')
        halted.flush()
        with pytest.raises(RecordIntegrityError, match="cut off"):
            timeline.verify()


def test_two_processes_append_without_losing_or_mixing_lines(tmp_path):
    """A lock on the file orders them."""
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from runbook_nb.redaction import Redactor\n"
        "from runbook_nb.timeline.writer import WritableTimeline\n"
        "from runbook_nb.timeline.events import Noted\n"
        "timeline = WritableTimeline(Path(sys.argv[1]), redactor=Redactor())\n"
        "for n in range(100): timeline.append("
        "Noted(at=datetime.now(UTC), text=f'{sys.argv[2]} {n}'))\n"
    )
    path = tmp_path / "timeline.jsonl"
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(path), name]) for name in ("a", "b")
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]

    texts = [event.text for event in Timeline(path)]
    assert [text for text in texts if text.startswith("a")] == [f"a {n}" for n in range(100)]
    assert [text for text in texts if text.startswith("b")] == [f"b {n}" for n in range(100)]
    assert Timeline(path).verify()


def test_reading_needs_no_redactor_and_writing_is_impossible_without(tmp_path):
    """What cannot be masked is not written; who only reads has nothing to write with."""
    assert not hasattr(Timeline(tmp_path / "timeline.jsonl"), "append")
    with pytest.raises(TypeError, match="redactor"):
        WritableTimeline(tmp_path / "timeline.jsonl")


def test_a_reader_sees_what_another_writer_adds(timeline):
    """A second responder looks at the same incident."""
    other = Timeline(timeline.path)
    assert len(other) == 3
    timeline.append(note("four"))

    assert other[-1].text == "four"


def test_a_full_disk_leaves_the_timeline_whole(tmp_path):
    """The event that did not fit is not half there."""
    script = (
        "import resource, sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from runbook_nb.redaction import Redactor\n"
        "from runbook_nb.timeline.writer import WritableTimeline\n"
        "from runbook_nb.timeline.events import Noted\n"
        "timeline = WritableTimeline(Path(sys.argv[1]), redactor=Redactor())\n"
        "timeline.append(Noted(at=datetime.now(UTC), text='fits'))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "try: timeline.append(Noted(at=datetime.now(UTC), text='x' * 5000))\n"
        "except OSError: sys.exit(28)\n"
    )
    path = tmp_path / "timeline.jsonl"
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False)

    assert ended.returncode == 28
    assert [event.text for event in Timeline(path)] == ["fits"]
    assert Timeline(path).verify()


def test_secrets_are_masked_before_the_disk(tmp_path):
    """Neither file nor memory holds them."""
    timeline = WritableTimeline(tmp_path / "t.jsonl", redactor=Redactor(["correct-horse-battery"]))
    written = timeline.append(note("password is correct-horse-battery"))

    assert "correct-horse" not in written.text
    assert b"correct-horse" not in timeline.path.read_bytes()


def test_the_file_is_readable_by_its_owner_and_synced(timeline):
    """An appended event survives the process."""
    assert os.access(timeline.path, os.R_OK)
    assert len(Timeline(timeline.path)) == 3


def test_who_acted_stays_an_address_and_evidence_does_not(tmp_path):
    """Two people must not become one mark: approvals are held to their names."""
    timeline = WritableTimeline(tmp_path / "timeline.jsonl", redactor=Redactor())
    noted = timeline.append(
        Noted(
            at=datetime(2026, 11, 23, tzinfo=UTC), by="sam@example.com", text="ask eve@example.com"
        )
    )

    assert (noted.by, noted.text) == ("sam@example.com", "ask [masked: e-mail]")


@pytest.mark.parametrize("answer", [1e-7, 1e21, 1.5e300, -0.0, 0.1, {"\U0001f600": 1, "\uffee": 2}])
def test_what_two_encoders_write_otherwise_still_fits(timeline, answer):
    """RFC 8785 writes 1e-7 and Python 1e-07: the line is the former, and whole."""
    act = Acted(at=NOW, title="x", outcome=Outcome.DONE, call="x", result=answer)
    timeline.append(act)

    assert Timeline(timeline.path)[-1] == act
    assert Timeline(timeline.path).verify() == timeline.head


def test_another_spelling_of_the_same_words_is_an_alteration(timeline):
    """A line has one spelling: who finds another one knows that it was touched."""
    whole = timeline.path.read_bytes()
    for spelled in (b'"kind": "noted"', b'"\\u006bind":"noted"', b'"kind":"not\\u0065d"'):
        timeline.path.write_bytes(whole.replace(b'"kind":"noted"', spelled, 1))
        with pytest.raises(RecordIntegrityError):
            Timeline(timeline.path).verify()


def test_a_timeline_that_became_shorter_takes_nothing(tmp_path):
    """The gap would be filled, and the chain broken for ever."""
    path = tmp_path / "INC-1" / "timeline.jsonl"
    timeline = WritableTimeline(path, redactor=Redactor())
    for number in range(3):
        timeline.append(note(f"word {number}"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0])

    with pytest.raises(RecordIntegrityError):
        timeline.append(note("more"))
    assert path.read_bytes() == lines[0]


def test_a_line_is_on_disk_before_it_is_acknowledged(tmp_path):
    """The line at each append; the names of file and folder at the first."""
    path, synced = tmp_path / "incidents" / "INC-1" / "timeline.jsonl", []

    def sync(descriptor):
        synced.append(os.fstat(descriptor).st_ino)

    timeline = WritableTimeline(path, redactor=Redactor(), sync=sync)
    timeline.append(note("first"))
    assert synced == [each.stat().st_ino for each in (path, path.parent, path.parent.parent)]
    timeline.append(note("second"))
    assert synced[3:] == [path.stat().st_ino]


@pytest.mark.parametrize("writes", [WritableTimeline, write_atomically, sync_folder])
def test_what_is_written_is_synced_for_real_unless_a_test_says_otherwise(writes):
    """A sync that does nothing would be seen by no test, only by a power cut."""
    assert inspect.signature(writes).parameters["sync"].default is os.fsync


def test_a_line_that_cannot_be_synced_is_taken_back(tmp_path):
    """It was never acknowledged."""
    path, full = tmp_path / "INC-1" / "timeline.jsonl", []

    def sync(_descriptor):
        if full:
            raise OSError(28, "No space left on device")

    timeline = WritableTimeline(path, redactor=Redactor(), sync=sync)
    timeline.append(note("first"))
    before = path.read_bytes()
    full.append(True)
    with pytest.raises(OSError, match="No space"):
        timeline.append(note("second"))
    assert path.read_bytes() == before
    full.clear()
    timeline.append(note("third"))
    assert len(timeline) == 2


@pytest.fixture
def closed(tmp_path):
    """A timeline that was closed while an attempt was on its way."""
    timeline = WritableTimeline(tmp_path / "INC-1" / "timeline.jsonl", redactor=Redactor())
    timeline.append(note("one"))
    timeline.append(Acting(at=NOW, **CALL, **WORDS, attempt=OWN))
    timeline.append(Closed(at=NOW, by="kim"))
    return timeline


@pytest.mark.parametrize(
    "late",
    [
        note("One more word."),
        Closed(at=NOW, by="sam"),
        Approved(at=NOW, by="ada", option="Option A", text="", parameters="", expires_at=NOW),
        Acting(at=NOW, **CALL, **WORDS, attempt=OTHER),
        Sending(at=NOW, title="Restart", attempt=OWN, system="database"),
        Acted(at=NOW, **CALL, outcome=Outcome.DECLINED),
        Acted(at=NOW, **CALL, outcome=Outcome.NOT_NEEDED, attempt=OWN),
        Acted(at=NOW, **CALL, outcome=Outcome.DONE, attempt=OTHER),
        Undone(at=NOW, **CALL, outcome=Outcome.DONE, attempt=OTHER),
        Settled(at=NOW, **CALL, outcome=Settlement.DONE, attempt=OTHER),
    ],
    ids=lambda late: late.kind,
)
def test_after_the_close_nothing_new_is_taken(closed, late):
    """No second close, no yes, no attempt, and no outcome of one that had not begun."""
    before = closed.path.read_bytes()
    with pytest.raises(IncidentStateError, match=r"INC-1 was closed at .* by kim"):
        closed.append(late)

    assert closed.path.read_bytes() == before


@pytest.mark.parametrize(
    "told",
    [
        Acted(at=NOW, **CALL, outcome=Outcome.DONE, attempt=OWN),
        Acted(at=NOW, **CALL, outcome=Outcome.FAILED, attempt=OWN),
        Settled(at=NOW, **CALL, outcome=Settlement.NOT_DONE, attempt=OWN),
    ],
    ids=["done", "failed", "settled"],
)
def test_after_the_close_an_attempt_that_was_on_its_way_still_tells_its_end(closed, told):
    """The record would say for ever that nobody knows."""
    closed.append(told)

    assert [event.kind for event in closed][-2:] == ["closed", told.kind]
