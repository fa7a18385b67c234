"""Live progress of a run: which step runs, and what has been found, as it happens."""

import contextlib
import logging
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TextIO

from runbook_nb.incident.cards.describe import face
from runbook_nb.incident.cards.description import COLOURS, SIGNS, Tone
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import one_line
from runbook_nb.text.terminal import writable
from runbook_nb.timeline.events import (
    Acted,
    Checked,
    Ended,
    Event,
    Opened,
    Started,
    Undone,
    Verified,
)
from runbook_nb.timeline.log import Timeline

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

_LOG: Final = logging.getLogger("runbook_nb")


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What became of a run of a notebook.

    ``notebook`` is the saved copy. ``reason`` is empty after a whole run; after a clean early end
    it begins with ``stopped:``, and otherwise it says what cut the run off. ``stopped_at`` is the
    title of the step at which it ended early. ``took_s`` is in seconds.
    """

    notebook: Path
    complete: bool
    reason: str = ""
    stopped_at: str = ""
    steps_run: int = 0
    steps_total: int = 0
    took_s: float = 0.0


class Progress(Protocol):
    """Is told about a run while it happens."""

    def begin(self, total: int, runbook: Runbook) -> None:
        """Begin a run of ``total`` steps."""

    def step(self, number: int, total: int, title: str) -> None:
        """Begin step ``number``, counted from 1."""

    def seen(self, event: Event) -> None:
        """Take an event of this run that was written to the timeline."""

    def end(self, execution: Execution) -> None:
        """End the run."""


class EventFeed:
    """Passes new events of one run from the timeline to a progress, in order and once."""

    def __init__(self, timeline: Path, *, run: str, progress: Progress) -> None:
        self._timeline = Timeline(timeline)
        self._run = run
        self._progress = progress
        self._count = 0
        self._broken = False

    def look(self) -> None:
        """Pass on what was written since the last look; a broken timeline is told once."""
        if self._broken:
            return
        try:
            self._pass_on()
        except Exception as error:  # noqa: BLE001 - whatever cannot be shown, the run goes on
            self._broken = True
            _LOG.warning("Live progress ends here, the run goes on: %s", error)

    def _pass_on(self) -> None:
        events = self._timeline[self._count :]
        self._count += len(events)
        for event in events:
            if event.run == self._run:
                self._progress.seen(event)


class PlainProgress:
    """One line an event, without control codes: for logs, pipes and screen readers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def begin(self, total: int, runbook: Runbook) -> None:
        """Say what runs."""
        self._line(f"Running {one_line(runbook.title)}: {_steps(total)}")

    def step(self, number: int, total: int, title: str) -> None:
        """Say which step runs."""
        self._line(f"Step {number} of {total}: {one_line(title)}")

    def seen(self, event: Event) -> None:
        """Say what was found or done."""
        if _is_shown(event):
            self._line(f"  {_said(event)}")

    def end(self, execution: Execution) -> None:
        """Say how the run ended."""
        self._line(ending(execution))

    def _line(self, text: str) -> None:
        # A reader that went away must not end the run.
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{writable(text, self._stream)}\n")
            self._stream.flush()


class TerminalProgress:
    """A live display at the foot of the terminal, above it one line an event."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._console = console
        self._live = Live(self, console=console, refresh_per_second=8, transient=True)
        self._counts: Counter[Tone] = Counter()
        self._title, self._number, self._total = "Starting", 0, 0
        self._since = self._started = time.monotonic()

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        """Return the display as it stands now; rich asks for it several times a second."""
        from rich.text import Text

        del console, options
        foot = Text(no_wrap=True, overflow="ellipsis")
        if self._number:
            foot.append(f"▶ Step {self._number} of {self._total}  ", style="bold")
        foot.append(f"{self._title}  {_elapsed(self._since)}", style="cyan")
        yield foot
        yield self._tally()

    def begin(self, total: int, runbook: Runbook) -> None:
        """Show the display."""
        self._total = total
        self._since = self._started = time.monotonic()
        self._print(f"Running {one_line(runbook.title)}: {_steps(total)}", style="bold")
        self._live.start(refresh=True)

    def step(self, number: int, total: int, title: str) -> None:
        """Show which step runs, and since when."""
        self._number, self._total, self._title = number, total, one_line(title)
        self._since = time.monotonic()

    def seen(self, event: Event) -> None:
        """Print what was found or done above the display."""
        if not _is_shown(event):
            return
        shown = face(event)
        if isinstance(event, Checked | Verified | Acted | Undone):
            self._counts[shown.tone] += 1
        self._print(f"  {_said(event)}", style=COLOURS[shown.tone])

    def end(self, execution: Execution) -> None:
        """Take the display away and say how the run ended."""
        with contextlib.suppress(OSError, ValueError):
            self._live.stop()
        self._print(ending(execution), style="bold" if execution.complete else "bold red")

    def _tally(self) -> "Text":
        from rich.text import Text

        tally = Text(f"  {_elapsed(self._started)} in all", no_wrap=True, overflow="ellipsis")
        for tone in Tone:
            if count := self._counts[tone]:
                name = "not done" if tone is Tone.PLAIN else tone.value
                tally.append(f"  {SIGNS[tone]} {count} {name}", style=COLOURS[tone])
        return tally

    def _print(self, text: str, *, style: str) -> None:
        from rich.text import Text

        with contextlib.suppress(OSError, ValueError):
            self._console.print(Text(writable(text, self._console.file), style=style))


def for_stream(stream: TextIO) -> Progress:
    """Return a live display for a terminal, and plain lines for anything else."""
    if not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return PlainProgress(stream)
    # rich is imported late: a run without a terminal does not pay for it.
    from rich.console import Console

    return TerminalProgress(Console(file=stream))


def ending(execution: Execution) -> str:
    """Say on one line how a run ended, after how many steps and how long."""
    count = f"{execution.steps_run} of {_steps(execution.steps_total)} in {words(execution.took_s)}"
    reason = one_line(execution.reason)
    if execution.complete:
        return f"Ended early, {reason}: {count}" if reason else f"Complete: {count}"
    place = f" at {one_line(execution.stopped_at)!r}" if execution.stopped_at else ""
    return f"Not complete: {reason}{place}: {count}"


def _is_shown(event: Event) -> bool:
    """Leave out what the head of the display already says."""
    return not isinstance(event, Opened | Started | Ended)


def _said(event: Event) -> str:
    """Say what was found or done; of a check that could not be read, why."""
    shown = face(event)
    lead = shown.lead
    if isinstance(event, Checked) and event.purpose == "check" and shown.tone is Tone.UNKNOWN:
        lead = event.evidence.reason or lead
    said = f"{shown.sign} {one_line(shown.word):<10} {one_line(shown.title)}"
    return f"{said.rstrip('.')}: {one_line(lead)}" if lead else said


def _elapsed(since: float) -> str:
    return words(whole) if (whole := int(time.monotonic() - since)) else "0 s"


def _steps(count: int) -> str:
    return f"{count} step" if count == 1 else f"{count} steps"
