"""Probes and actions: calls that wait until their verb runs them.

A function of a pack becomes a probe with ``@probe`` and an action with ``@action``. Calling
it makes a value that says what would run and runs nothing::

    >>> jobs.longest_wait(window=minutes(15))
    <Probe jobs.longest_wait(window=15 min), not run yet>
"""

import functools
import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol

from runbook_nb.probes.commands import Commands
from runbook_nb.probes.connections import Database, Http
from runbook_nb.text.durations import words
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Impact

P = ParamSpec("P")


SETTLING_TIMEOUT_S: Final = 30.0
# Calls that were left at their limit, or by a person, and have not ended yet.
_LEFT: Final[list[threading.Event]] = []


class Systems(Protocol):
    """What a call may reach: the databases and services of one environment."""

    @property
    def attempt(self) -> str:
        """The attempt that this action is: a key for partners that do one request only once."""

    def database(self, name: str = "database") -> Database:
        """Return a database, by the name it has in the settings."""

    def http(self, system: str) -> Http:
        """Return a client for one HTTP service, by the name it has in the settings."""

    def command(self, system: str) -> Commands:
        """Return the commands of this machine that belong to one system."""

    def setting(self, system: str, name: str) -> str:
        """Return one setting of a system, or raise SettingMissingError."""

    def baseline(self, part: str) -> Mapping[str, Json] | None:
        """Return what the team has accepted as right of a part; None where it has not said."""

    def commit(self, *, last: bool) -> None:
        """Commit what an ended transaction holds back; ``last`` where the action has returned."""

    def close(self) -> None:
        """Cut all connections; a call in flight fails."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An answer with the rows or samples behind it, and what users feel where that was measured."""

    value: Json
    detail: Json = None
    impact: Impact | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A function with its arguments, not run yet."""

    name: str
    arguments: Mapping[str, Any]
    timeout_s: float
    run: Callable[..., Any] = field(repr=False, compare=False)

    def __str__(self) -> str:
        """Say the call as a person would type it, durations in words."""
        said = ", ".join(f"{key}={_say(value)}" for key, value in self.arguments.items())
        return f"{self.name}({said})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Probe(Call):
    """A call that reads a system and cannot change it; ``unit`` belongs to its answer.

    One that others beside it would disturb asks to be ``alone``.
    """

    unit: str = ""
    alone: bool = False

    def __repr__(self) -> str:
        """Say what would run, and that nothing has."""
        return f"<Probe {self}, not run yet>"

    def read(self, systems: Systems) -> Reading:
        """Ask the systems now; raises what the call raises, and TimeoutError."""
        answer = _within(self.timeout_s, systems, lambda: self.run(systems, **self.arguments))
        return answer if isinstance(answer, Reading) else Reading(value=answer)


@dataclass(frozen=True, kw_only=True, repr=False)
class Action(Call):
    """A call that changes a system.

    ``rehearse`` shows what it would change and leaves nothing changed. ``undo`` takes the result
    of the done action back. A ``repeatable`` action may be sent again after it was cut off midway.
    One that only tells people, and repairs nothing, ``tells`` on which channels. A ``contained``
    one changes nothing but through its systems, so what it sent is known. ``settle`` reads whether
    an attempt at it took effect.
    """

    repeatable: bool = False
    irreversible: bool = False
    tells: tuple[str, ...] = ()
    contained: bool = False
    rehearse: Callable[..., Json] | None = field(default=None, compare=False)
    undo: Callable[..., Json] | None = field(default=None, compare=False)
    settle: Callable[..., bool | None] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """Say what would run, and that nothing has."""
        return f"<Action {self}, not run yet>"

    def do(self, systems: Systems, *, ending: Callable[[Json], None] | None = None) -> Json:
        """Change the systems now; returns what changed.

        ``ending`` is handed the result within the same time, before the last change is committed.
        """
        return _within(
            self.timeout_s,
            systems,
            lambda: _to_its_end(systems, lambda: self.run(systems, **self.arguments), ending),
        )

    def rehearsal(self, systems: Systems) -> Json:
        """Return what would change, as read from the systems; None without a rehearsal."""
        rehearse = self.rehearse
        if rehearse is None:
            return None
        return _within(self.timeout_s, systems, lambda: rehearse(systems, **self.arguments))

    def take_back(
        self, systems: Systems, result: Json, *, ending: Callable[[Json], None] | None = None
    ) -> Json:
        """Run the paired undo with the result of the done action; ``ending`` is as in ``do``."""
        undo = self.undo
        if undo is None:
            message = f"{self.name} has no undo."
            raise TypeError(message)
        return _within(
            self.timeout_s,
            systems,
            lambda: _to_its_end(systems, lambda: undo(systems, result, **self.arguments), ending),
        )

    def took_effect(self, systems: Systems, attempt: str) -> bool | None:
        """Read whether an attempt took effect; None where the systems do not say, or none can."""
        settle = self.settle
        if settle is None:
            return None
        found = _within(
            SETTLING_TIMEOUT_S, systems, lambda: settle(systems, attempt, **self.arguments)
        )
        # Only a plain yes or no is an answer.
        return found if isinstance(found, bool) else None


class ProbeFactory(Generic[P]):
    """A probe function: calling it makes a Probe."""

    def __init__(
        self, function: Callable[..., Any], unit: str, *, timeout_s: float, alone: bool
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self.unit, self._timeout_s = function, unit, timeout_s
        self._alone = alone

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Probe:
        """Bind the arguments; nothing runs."""
        arguments = _bind(self._function, args, kwargs)
        return Probe(
            name=call_name(self._function),
            arguments=arguments,
            unit=arguments.get("unit", self.unit),
            alone=self._alone,
            timeout_s=self._timeout_s,
            run=self._function,
        )


class ActionFactory(Generic[P]):
    """An action function: calling it makes an Action; its rehearsal and undo are added to it."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        timeout_s: float,
        repeatable: bool,
        irreversible: bool,
        tells: str,
        contained: bool,
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self._timeout_s = function, timeout_s
        self._repeatable, self.irreversible = repeatable, irreversible
        self._tells, self._contained = (tells,) if tells else (), contained
        self._rehearse: Callable[..., Json] | None = None
        self._undo: Callable[..., Json] | None = None
        self._settle: Callable[..., bool | None] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Action:
        """Bind the arguments; nothing runs."""
        return Action(
            name=call_name(self._function),
            arguments=_bind(self._function, args, kwargs),
            timeout_s=self._timeout_s,
            repeatable=self._repeatable,
            irreversible=self.irreversible,
            tells=self._tells,
            contained=self._contained,
            run=self._function,
            rehearse=self._rehearse,
            undo=self._undo,
            settle=self._settle,
        )

    def rehearsal(self, function: Callable[..., Json]) -> Callable[..., Json]:
        """Take the function that shows what this action would change."""
        self._rehearse = function
        return function

    def undo(self, function: Callable[..., Json]) -> Callable[..., Json]:
        """Take the function that reverts this action; its second argument is the result."""
        self._undo = function
        return function

    def settling(self, function: Callable[..., bool | None]) -> Callable[..., bool | None]:
        """Take the function that reads whether an attempt took effect.

        Its second argument is the attempt, as the action saw it in ``systems.attempt``. It
        returns True, False, or None where that cannot be seen; it only reads.
        """
        self._settle = function
        return function


def probe(
    *, unit: str, timeout_s: float = 10, alone: bool = False
) -> Callable[[Callable[Concatenate[Systems, P], Any]], ProbeFactory[P]]:
    """Make a probe of a function whose first argument is the systems it may read.

    Where it has an argument ``unit``, the caller names the unit of the answer. A diagnosis reads
    its probes side by side; one that measures what others would disturb asks to be ``alone``.
    """

    def decorate(function: Callable[Concatenate[Systems, P], Any]) -> ProbeFactory[P]:
        return ProbeFactory(function, unit, timeout_s=timeout_s, alone=alone)

    return decorate


def action(
    *,
    timeout_s: float = 60,
    repeatable: bool = False,
    irreversible: bool = False,
    tells: str = "",
    contained: bool = False,
) -> Callable[[Callable[Concatenate[Systems, P], Any]], ActionFactory[P]]:
    """Make an action of a function whose first argument is the systems it may change.

    ``tells`` names the channel of one that only tells people, such as ``#ops``: such an
    action is a message in the record, and no fix. One that changes nothing but through these
    systems, no file and no program of its own, is ``contained``: when it is cut off before it
    sent anything, that is known, and it is done again without a question.
    """

    def decorate(function: Callable[Concatenate[Systems, P], Any]) -> ActionFactory[P]:
        return ActionFactory(
            function,
            timeout_s=timeout_s,
            repeatable=repeatable,
            irreversible=irreversible,
            tells=tells,
            contained=contained,
        )

    return decorate


def _within(seconds: float, systems: Systems, call: Callable[[], Any]) -> Any:
    """Run a call for at most so many seconds; at the limit its connections are cut."""
    running = _RunningCall(call)
    thread = threading.Thread(target=running.run, name="call", daemon=True)
    try:
        thread.start()
        in_time = running.ended.wait(seconds)
    except BaseException:
        # Somebody interrupts: what goes on behind their back must not.
        running.leave(systems)
        raise
    if not in_time:
        running.leave(systems)
        message = f"No answer within {words(seconds)}."
        raise TimeoutError(message)
    if running.error is not None:
        raise running.error
    return running.answer


class _RunningCall:
    """A call in a thread of its own, and whether it has ended.

    A thread that was interrupted in its join counts as ended in Python 3.11; an event does not.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._lock, self._left = call, threading.Lock(), False
        self.ended, self.answer = threading.Event(), None
        self.error: BaseException | None = None
        self._begun = False

    def run(self) -> None:
        """Call, unless it was left before it began."""
        with self._lock:
            self._begun = not self._left
        try:
            if self._begun:
                self.answer = self._call()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            self.error = error
        finally:
            self.ended.set()

    def leave(self, systems: Systems) -> None:
        """Cut it off; a thread cannot be ended, but without its connections it soon ends itself."""
        with self._lock:
            self._left = True
            if self._begun:
                _LEFT.append(self.ended)
        systems.close()


def _to_its_end(
    systems: Systems, call: Callable[[], Json], ending: Callable[[Json], None] | None
) -> Json:
    """Change the systems; with an ``ending`` the last change is committed after it."""
    if ending is None:
        return call()
    try:
        result = call()
    except Exception:
        # What a transaction of its own has ended before stands, though the rest failed.
        systems.commit(last=False)
        raise
    ending(result)
    systems.commit(last=True)
    return result


def unfinished() -> list[threading.Event]:
    """Return the ends of those calls of this process that were cut off and go on all the same."""
    _LEFT[:] = [ended for ended in _LEFT if not ended.is_set()]
    return list(_LEFT)


def _bind(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Bind arguments to all parameters but the first, defaults included."""
    signature = inspect.signature(function)
    _, *rest = signature.parameters.values()
    bound = signature.replace(parameters=rest).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def call_name(function: Callable[..., Any]) -> str:
    """Return what a runbook calls it: ``prometheus/probes.py`` holds calls of ``prometheus``."""
    *_, above, module = f".{function.__module__}".split(".")
    system = above if module in {"probes", "actions"} else module
    return f"{system}.{function.__name__}"


def _say(value: object) -> str:
    return words(value) if isinstance(value, timedelta) else repr(value)
