"""Fakes for tests of runbooks: a clock, a responder, a probe and an action that tell what ran.

They are real values of the public types, so a test with them runs the same code as a night does.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from runbook_nb.incident.board import Board
from runbook_nb.incident.cards import Card
from runbook_nb.probes.calls import Action, Probe, Reading, Systems
from runbook_nb.text.values import Json


class Clock:
    """A clock that moves only when told, or by a millisecond each time it is read."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)) -> None:
        self._now = start
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the time; no two readings are equal, so that events have an order."""
        self._now += timedelta(milliseconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on without waiting."""
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)


class Responder:
    """A person at the prompt with scripted answers; remembers what was asked.

    Raises AssertionError when asked more often than it has answers.
    """

    def __init__(self, *answers: str) -> None:
        self._answers = iter(answers)
        self.asked: list[str] = []

    def __call__(self, question: str) -> str:
        """Give the next answer."""
        self.asked.append(question)
        try:
            return next(self._answers)
        except StopIteration:
            message = f"Nobody was to be asked: {question}"
            raise AssertionError(message) from None


class Wall:
    """A screen that remembers what was shown before a cell ended, and the newest board."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.said: list[str] = []
        self.done: list[str] = []
        self.line = ""
        self.newest: Board | None = None

    def card(self, card: Card) -> None:
        """Keep a card."""
        self.cards.append(card)

    def board(self, board: Board) -> None:
        """Keep the board in the place of the one before."""
        self.newest = board

    def say(self, text: str) -> None:
        """Keep a line."""
        self.said.append(text)

    def working(self, text: str) -> None:
        """Keep what a step says that it does, and ``line`` as it stands now."""
        self.line = text
        self.done.append(text)

    def rest(self) -> None:
        """Empty the line."""
        self.line = ""


def scripted_probe(*answers: Json | Exception, name: str = "tests.answer", unit: str = "") -> Probe:
    """Return a probe that gives these answers in turn, the last one for ever.

    An exception among them is raised; a ``Reading`` is given with all that is in it.
    """
    rest: Iterator[Json | Exception] = iter(answers)
    last: list[Json | Exception] = [None]

    def run(_systems: Systems) -> Reading:
        last[0] = next(rest, last[0])
        if isinstance(last[0], Exception):
            raise last[0]
        return last[0] if isinstance(last[0], Reading) else Reading(value=last[0])

    return Probe(name=name, arguments={}, timeout_s=5, run=run, unit=unit)


class RecordingAction:
    """Makes an action that counts how often it was done, rehearsed and undone."""

    def __init__(
        self,
        *,
        error: Exception | None = None,
        repeatable: bool = False,
        irreversible: bool = False,
        tells: str = "",
    ) -> None:
        self.done = self.rehearsed = self.undone = 0
        self._tells = (tells,) if tells else ()
        self._error, self._repeatable, self._irreversible = error, repeatable, irreversible

    def __call__(self, **arguments: Any) -> Action:
        """Return the action with these arguments."""
        return Action(
            name="tests.change",
            arguments=arguments,
            timeout_s=5,
            run=self._do,
            repeatable=self._repeatable,
            irreversible=self._irreversible,
            tells=self._tells,
            rehearse=self._rehearse,
            undo=self._undo,
        )

    def _do(self, _systems: Systems, **_: Any) -> Json:
        if self._error:
            raise self._error
        self.done += 1
        return {"changed": self.done}

    def _rehearse(self, _systems: Systems, **_: Any) -> Json:
        self.rehearsed += 1
        return {"would change": 1}

    def _undo(self, _systems: Systems, result: Json, **_: Any) -> Json:
        self.undone += 1
        return {"taken back": result}


def runbook_cells(
    *,
    checks: Sequence[str] = ("Lag",),
    options: Sequence[str] = ("Option A: Restart",),
    actions: Sequence[str] = ("Restart",),
) -> dict[str, Any]:
    """Return a notebook, as JSON, with these checks, options and one action under each option."""
    cells = [
        _markdown("# Trial — Operational Procedure"),
        _code("window_s: int = 60", "parameters"),
    ]
    cells.append(_markdown("## Diagnosis"))
    for title in checks:
        cells += [_markdown(f"### Check: {title}"), _code(f"incident.check({title!r}, p.ask())")]
    cells += [_markdown("## Resolution Steps"), _code("incident.decide()")]
    for option, action in zip(options, actions, strict=True):
        cells += [_markdown(f"### {option}"), _code(f"incident.act({action!r}, a.change())")]
    front = {
        "name": "trial",
        "title": "Trial",
        "severity": "SEV3",
        "alerts": ["TrialAlert"],
        "related": ["another"],
        "escalation": ["ops-oncall@company.com"],
    }
    return {"cells": cells, "metadata": {"runbook": front}, "nbformat": 4, "nbformat_minor": 5}


@contextmanager
def environ(**variables: str) -> Iterator[None]:
    """Set environment variables for a while."""
    import os

    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str, *tags: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": list(tags)} if tags else {},
        "outputs": [],
        "source": text,
    }
