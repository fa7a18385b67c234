"""Send a call to the systems, or rehearse it; a failure is an outcome here, never a crash."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from runbook_nb.errors import ActionError, NothingDoneError, WriteRefusedError
from runbook_nb.incident import results
from runbook_nb.incident.check import in_words
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.incident.place import Place
from runbook_nb.probes.calls import Action, Systems, unfinished
from runbook_nb.probes.environment import Environment
from runbook_nb.probes.writing import NoJournal
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Acting, Outcome, Sending

# How long a call that was cut off is waited for before its outcome is written.
_GRACE_S: Final = 5.0


class Call(Protocol):
    """What is sent: it changes the systems, and hands its result on before its last commit."""

    def __call__(self, systems: Systems, *, ending: Callable[[Json], None]) -> Json:
        """Change the systems now."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of a call; ``reason`` says why it failed.

    ``untouched`` tells that it is known to have changed nothing, ``stop`` is what interrupted it.
    """

    outcome: Outcome
    result: Json
    reason: str
    took_s: float
    untouched: bool = False
    stop: BaseException | None = None

    def fields(self) -> dict[str, Any]:
        """Return the fields of an event that says so."""
        return {name: value for name, value in vars(self).items() if name != "stop"}


@dataclass(kw_only=True)
class AttemptJournal:
    """Writes on the timeline what an attempt is about to change, until it is given up."""

    live: LiveRun
    acting: Acting
    told: bool = False
    _given_up: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def attempt(self) -> str:
        """The attempt that is under way."""
        return self.acting.attempt

    def sending(
        self, system: str, *, transaction: str = "", history: str = "", last: bool = False
    ) -> None:
        """Write that a change is about to be sent; refuse it when nobody waits for it any more."""
        with self._lock:
            if self._given_up:
                message = f"{self.acting.title!r} was cut off; nothing more of it is sent."
                raise ActionError(message)
            self.live.timeline.append(
                Sending(
                    **self.live.stamp(),
                    title=self.acting.title,
                    attempt=self.attempt,
                    system=system,
                    transaction=transaction,
                    history=history,
                    last=last,
                )
            )
            self.told = True
        self.live.reached(Place.TOLD)

    def committed(self) -> None:
        """Pass the place where a transaction is committed."""
        self.live.reached(Place.COMMITTED)

    def give_up(self) -> None:
        """Let nothing more be sent; what is being written is written to its end."""
        with self._lock:
            self._given_up = True


class RehearsalJournal(NoJournal):
    """Lets no transaction of a rehearsal be committed."""

    def sending(
        self,
        system: str,
        *,
        transaction: str = "",
        history: str = "",  # noqa: ARG002
        last: bool = False,  # noqa: ARG002
    ) -> None:
        """Refuse a commit; it is rolled back."""
        if transaction:
            message = f"The rehearsal would have changed {system}; it was rolled back."
            raise WriteRefusedError(message)


@contextmanager
def sent(call: Call, live: LiveRun, acting: Acting, *, timeout_s: float) -> Iterator[Sent]:
    """Run a call on writing connections; yields what became of it, before anything is closed."""
    asked: list[str] = []
    journal = AttemptJournal(live=live, acting=acting)
    systems = live.environment.writing(asked, journal, timeout_s=timeout_s)
    started, left_before = time.perf_counter(), unfinished()
    stop: BaseException | None = None
    untouched = False
    try:
        result = call(systems, ending=lambda found: _keep(live, acting, found))
        outcome, reason = Outcome.DONE, ""
    except BaseException as error:  # noqa: BLE001 - recorded first, raised by the caller
        journal.give_up()
        _wait_for([each for each in unfinished() if each not in left_before])
        result, outcome = {"sent": asked}, Outcome.FAILED
        stop = None if isinstance(error, Exception) else error
        reason = in_words(error) if isinstance(error, Exception) else "It was interrupted."
        untouched = isinstance(error, NothingDoneError) or (acting.contained and not journal.told)
    took_s = round(time.perf_counter() - started, 3)
    try:
        yield Sent(
            outcome=outcome,
            result=result,
            reason=reason,
            took_s=took_s,
            untouched=untouched,
            stop=stop,
        )
    finally:
        systems.close()


def rehearse(action: Action, environment: Environment) -> tuple[Json, str]:
    """Return what the action would change, and the error if that cannot be told."""
    asked: list[str] = []
    systems = environment.writing(asked, RehearsalJournal(), timeout_s=action.timeout_s)
    try:
        return action.rehearsal(systems), ""
    except Exception as error:  # noqa: BLE001 - shown to the responder, or declined
        reason = in_words(error)
        return {"could not be rehearsed": reason, "asked": asked}, reason
    finally:
        systems.close()


def _keep(live: LiveRun, acting: Acting, result: Json) -> None:
    live.reached(Place.RETURNED)
    # Without it the action cannot be undone, which an undo says; that is no reason to fail here.
    with suppress(OSError, TypeError, ValueError, RecursionError):
        results.keep(live.timeline.folder, acting.attempt, result)
    live.reached(Place.KEPT)


def _wait_for(calls: list[threading.Event]) -> None:
    ends = time.monotonic() + _GRACE_S
    for call in calls:
        call.wait(max(0.0, ends - time.monotonic()))
