"""Live progress, on a terminal and without one."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.engine import progress
from runbook_nb.runs.engine.progress import EventFeed, Execution, PlainProgress, TerminalProgress
from runbook_nb.timeline.events import (
    Acted,
    Asked,
    Checked,
    Event,
    Evidence,
    Noted,
    Opened,
    Outcome,
    Verdict,
)
from runbook_nb.timeline.writer import WritableTimeline

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
RUNBOOK = Runbook(
    name="heartbeat",
    path=Path("heartbeat.ipynb"),
    front={"name": "heartbeat", "title": "Heartbeat failure"},
    steps=(),
    headings=(),
    parameters=(),
    digest="",
)
WHOLE = Execution(notebook=Path("a.ipynb"), complete=True, steps_run=2, steps_total=2, took_s=3)


class _Terminal(io.StringIO):
    def isatty(self):
        return True


class _Heard:
    def __init__(self):
        self.events: list[Event] = []

    def begin(self, total, runbook): ...
    def step(self, number, total, title): ...
    def end(self, execution): ...
    def seen(self, event):
        self.events.append(event)


def checked(verdict: Verdict, title: str = "Heartbeat lag", run: str = "r1") -> Checked:
    evidence = Evidence(question="?", answer=9.4, unit="s", read_at=NOW)
    return Checked(
        at=NOW, run=run, title=title, verdict=verdict, evidence=evidence, expect="at most 5 s"
    )


def told(shown: progress.Progress) -> None:
    shown.begin(2, RUNBOOK)
    shown.step(1, 2, "Heartbeat lag")
    for verdict in Verdict:
        shown.seen(checked(verdict))
    shown.step(2, 2, "Restart")
    for outcome in Outcome:
        shown.seen(Acted(at=NOW, title="Restart", outcome=outcome, call="restart()"))
    shown.end(WHOLE)


def test_plain_lines_hold_no_control_codes():
    """A log file and a screen reader get words."""
    stream = io.StringIO()

    told(PlainProgress(stream))

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", stream.getvalue())
    assert "Step 1 of 2: Heartbeat lag\n" in stream.getvalue()
    assert "Complete: 2 of 2 steps in 3 s" in stream.getvalue()


@pytest.mark.parametrize("line", ["✓ PASS", "! WARN", "? UNKNOWN", "✗ FAIL"])
def test_every_verdict_has_a_word_and_a_sign_of_its_own(line):
    """Colour is never the only difference."""
    stream = io.StringIO()

    told(PlainProgress(stream))

    said = next(said for said in stream.getvalue().splitlines() if f"  {line} " in said)
    assert said.endswith("Heartbeat lag: 9.4 s, expected at most 5 s")


def test_a_check_that_could_not_be_read_says_why():
    """What to mend comes before what was expected."""
    stream = io.StringIO()
    lost = Evidence(question="?", answer=None, reason="Connection refused", read_at=NOW)
    words = {"at": NOW, "title": "Lag", "verdict": Verdict.UNKNOWN, "expect": "at most 5 s"}

    PlainProgress(stream).seen(Checked(**words, evidence=lost))

    assert stream.getvalue() == "  ? UNKNOWN    Lag: Connection refused\n"


def test_a_question_that_ends_in_a_full_stop_reads_on():
    """A manual step is a sentence, and what became of it follows."""
    stream = io.StringIO()

    PlainProgress(stream).seen(Asked(at=NOW, question="Tell #ops.", owner=""))

    assert "OPEN       Tell #ops: Nobody has answered yet" in stream.getvalue()


def test_every_outcome_is_said():
    """What was only rehearsed does not look done."""
    stream = io.StringIO()

    told(PlainProgress(stream))

    said = stream.getvalue().lower().replace("_", " ")
    assert all(outcome.value.replace("_", " ") in said for outcome in Outcome)


def test_a_stream_of_few_characters_gets_signs_it_can_hold():
    """A terminal without UTF-8 still shows every line."""
    raw = io.BytesIO()

    stream = io.TextIOWrapper(raw, encoding="ascii")
    told(PlainProgress(stream))

    assert b"x FAIL" in raw.getvalue()


def test_a_reader_that_went_away_does_not_end_the_run():
    """``runbook run | head`` runs to its end."""
    stream = io.StringIO()
    stream.close()

    told(PlainProgress(stream))


def test_a_terminal_shows_step_verdicts_and_counts():
    """The eye finds the step that runs and what was found so far."""
    screen = _Terminal()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    shown = TerminalProgress(console)

    shown.begin(3, RUNBOOK)
    shown.step(2, 3, "Heartbeat lag [bold]p95[/bold]")
    shown.seen(checked(Verdict.FAIL))
    with console.capture() as captured:
        console.print(shown)
    shown.end(WHOLE)

    assert "Step 2 of 3  Heartbeat lag [bold]p95[/bold]  0 s" in captured.get()
    assert "✗ 1 fail" in captured.get()
    assert "✗ FAIL" in screen.getvalue()
    assert "Complete" in screen.getvalue()


def test_a_terminal_is_told_from_a_pipe(monkeypatch):
    """Live display only where somebody can see it."""
    monkeypatch.setenv("TERM", "xterm")

    assert isinstance(progress.for_stream(_Terminal()), TerminalProgress)
    assert isinstance(progress.for_stream(io.StringIO()), PlainProgress)


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    """Emacs and CI consoles cannot move the cursor."""
    monkeypatch.setenv("TERM", "dumb")

    assert isinstance(progress.for_stream(_Terminal()), PlainProgress)


def test_the_feed_passes_each_event_of_its_run_once(tmp_path):
    """Other runs of the same incident are not this run's progress."""
    path, heard = tmp_path / "timeline.jsonl", _Heard()
    feed = EventFeed(path, run="r1", progress=heard)
    feed.look()
    timeline = WritableTimeline(path, redactor=Redactor())
    timeline.append(checked(Verdict.PASS, "one"))
    timeline.append(checked(Verdict.PASS, "another run", run="r2"))

    feed.look()
    timeline.append(checked(Verdict.WARN, "two"))
    feed.look()
    feed.look()

    assert [event.title for event in heard.events] == ["one", "two"]


def test_a_broken_timeline_ends_the_feed_and_not_the_run(tmp_path, caplog):
    """Progress is not worth a run."""
    path, heard = tmp_path / "timeline.jsonl", _Heard()
    path.write_text('{"seq": 1}\n')
    feed = EventFeed(path, run="r1", progress=heard)

    feed.look()
    feed.look()

    assert len(caplog.records) == 1


def test_an_early_end_says_why_and_where():
    """The last line is what is read first."""
    early = Execution(
        notebook=Path("a.ipynb"),
        complete=False,
        reason="interrupted",
        stopped_at="Heartbeat lag",
        steps_run=1,
        steps_total=2,
        took_s=61,
    )

    assert progress.ending(early) == (
        "Not complete: interrupted at 'Heartbeat lag': 1 of 2 steps in 1 min 1 s"
    )


def test_opening_is_not_repeated_as_a_line():
    """The head of the display says it already."""
    stream = io.StringIO()
    opened = Opened(
        at=NOW, incident="INC-1", title="T", severity="P1", runbook="r", environment="lab"
    )

    PlainProgress(stream).seen(opened)
    PlainProgress(stream).seen(Noted(at=NOW, text="A word."))

    assert stream.getvalue().count("\n") == 1
