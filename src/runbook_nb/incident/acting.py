"""Act: re-read why, rehearse, ask, write down, do; and take back what was done.

The order is the safety of it. Nothing is sent before the timeline says so on disk, and two runs
of one incident take turns, so that no action is done twice.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbook_nb.approval import demand
from runbook_nb.calls import Action
from runbook_nb.context import RunContext
from runbook_nb.environment import Environment
from runbook_nb.errors import ActionError, ApprovalError
from runbook_nb.incident.reading import in_words
from runbook_nb.model import (
    UNDO,
    Acted,
    Acting,
    Approved,
    Checked,
    Decided,
    Json,
    Outcome,
    Undone,
    Verdict,
)
from runbook_nb.timeline import Timeline

CONFIRMATION = "do"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """An action as its cell wrote it, under the option it belongs to."""

    title: str
    action: Action
    option: str
    because: tuple[str, ...]
    risk: str
    undo: str

    def described(self) -> dict[str, Any]:
        """Return the fields that every event of this action carries."""
        return {
            "title": self.title,
            "call": str(self.action),
            "option": self.option,
            "because": "; ".join(self.because),
            "risk": self.risk,
            "undo": self.undo,
        }


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, on what, by which approvals; all edges come in here.

    ``reread`` reads a check anew by its title, ``ask`` puts a question to the responder and
    ``show`` displays an event before the question.
    """

    context: RunContext
    environment: Environment
    timeline: Timeline
    text: str
    parameters: str
    now: Callable[[], datetime]
    reread: Callable[[str], Checked]
    ask: Callable[[str], str]
    show: Callable[[Acting], None]

    def act(self, planned: Planned) -> Acted:
        """Do a planned action if it is chosen, called for, and approved; else say why not.

        Raises ActionError when the action itself fails, after that is on the timeline.
        """
        with self._turn():
            reason = self._not_chosen(planned) or self._already(planned)
            if reason:
                return self._close(planned, reason)
            if not self._called_for(planned):
                passed = "The check that calls for it passes now."
                return self._close(planned, (Outcome.NOT_NEEDED, passed))
            return self._confirm_and_do(planned)

    def undo(self, planned: Planned) -> Undone:
        """Take back the newest done action; raises ActionError if it cannot be."""
        with self._turn():
            done = self._done(planned.title)
            if done is None:
                message = f"{planned.title!r} was not done in this incident, or is undone already."
                raise ActionError(message)
            newer = self._done_after(done)
            if newer:
                message = f"Undo {newer!r} first: it was done after {planned.title!r}."
                raise ActionError(message)
            if planned.action.undo is None:
                message = f"{planned.title!r} has no undo of its own: {planned.undo}"
                raise ActionError(message)
            return self._take_back(planned, done)

    def _confirm_and_do(self, planned: Planned) -> Acted:
        rehearsal, broken = self._rehearse(planned)
        acting = Acting(**self._stamp(), **planned.described(), rehearsal=rehearsal)
        if broken and not self.context.attended:
            reason = f"Its rehearsal failed, so it was not sent: {broken}"
            return self._close(planned, (Outcome.DECLINED, reason), rehearsal)
        try:
            approved_by = self._approved_by(planned, acting)
        except ApprovalError as error:
            return self._close(planned, (Outcome.REHEARSED, str(error)), rehearsal)
        if approved_by is None:
            return self._close(planned, (Outcome.DECLINED, "Not confirmed."), rehearsal)
        return self._do(planned, rehearsal, approved_by)

    def _do(self, planned: Planned, rehearsal: Json, approved_by: str) -> Acted:
        described = planned.described()
        self.timeline.append(
            Acting(**self._stamp(), **described, rehearsal=rehearsal, approved_by=approved_by)
        )
        outcome, result, reason, took_s = self._send(planned.action.do)
        acted = self.timeline.append(
            Acted(
                **self._stamp(),
                **described,
                rehearsal=rehearsal,
                outcome=outcome,
                result=result,
                reason=reason,
                took_s=took_s,
            )
        )
        if outcome is Outcome.FAILED:
            message = f"{planned.title!r} failed and may be half done: {acted.reason}"
            raise ActionError(message)
        return acted

    def _take_back(self, planned: Planned, done: Acted) -> Undone:
        call = f"undo of {planned.action}"
        self.timeline.append(
            Acting(
                **self._stamp(),
                **{**planned.described(), "title": f"{UNDO}{planned.title}", "call": call},
                approved_by=self.context.actor,
            )
        )
        outcome, result, reason, took_s = self._send(
            lambda systems: planned.action.take_back(systems, done.result)
        )
        undone = self.timeline.append(
            Undone(
                **self._stamp(),
                title=planned.title,
                outcome=outcome,
                call=call,
                result=result,
                reason=reason,
                took_s=took_s,
            )
        )
        if outcome is Outcome.FAILED:
            message = f"The undo of {planned.title!r} failed: {undone.reason}"
            raise ActionError(message)
        return undone

    def _send(self, call: Callable[[Any], Json]) -> tuple[Outcome, Json, str, float]:
        """Run a call on writing connections; a failure is an outcome here, raised by the caller."""
        asked: list[str] = []
        systems = self.environment.writing(asked)
        started = time.perf_counter()
        try:
            result, outcome, reason = call(systems), Outcome.DONE, ""
        except Exception as error:  # noqa: BLE001 - recorded first, raised by the caller
            result, outcome, reason = {"sent": asked}, Outcome.FAILED, in_words(error)
        systems.close()
        return outcome, result, reason, round(time.perf_counter() - started, 3)

    def _rehearse(self, planned: Planned) -> tuple[Json, str]:
        """Return what the action would change, and the error if that cannot be told."""
        asked: list[str] = []
        systems = self.environment.writing(asked)
        try:
            return planned.action.rehearsal(systems), ""
        except Exception as error:  # noqa: BLE001 - shown to the responder, or declined
            reason = in_words(error)
            return {"could not be rehearsed": reason, "asked": asked}, reason
        finally:
            systems.close()

    def _not_chosen(self, planned: Planned) -> tuple[Outcome, str] | None:
        if not planned.option:
            return None
        decided = self.timeline.last(Decided)
        if decided is None:
            return Outcome.DECLINED, "No option was chosen yet; run the decision first."
        if decided.option != planned.option:
            chosen = f"{decided.option!r} was chosen" if decided.option else "nothing was chosen"
            return Outcome.DECLINED, f"{planned.option!r} was not chosen; {chosen}."
        return None

    def _already(self, planned: Planned) -> tuple[Outcome, str] | None:
        """Say why an unattended run leaves an action that was begun before."""
        if self.context.attended:
            return None
        if done := self._done(planned.title):
            when = f"{done.at:%H:%M:%SZ} by {done.by}"
            return Outcome.NOT_NEEDED, f"Done before, at {when}. It is not repeated."
        if (begun := self._begun(planned.title)) and not planned.action.repeatable:
            when = f"{begun.at:%H:%M:%SZ}"
            reason = f"It was begun at {when} and cut off, so it may be half done. Look first."
            return Outcome.DECLINED, reason
        return None

    def _called_for(self, planned: Planned) -> bool:
        """Read the checks that call for the action anew, until one of them fails."""
        return any(self.reread(title).verdict is Verdict.FAIL for title in planned.because)

    def _approved_by(self, planned: Planned, acting: Acting) -> str | None:
        """Return who said yes; None when the responder did not. Raises ApprovalError."""
        guarded = self.environment.is_production and planned.action.irreversible
        approver = self.context.actor
        if guarded or not self.context.attended:
            approver = demand(
                self.timeline.last(Approved, option=planned.option),
                option=planned.option,
                title=planned.title,
                call=str(planned.action),
                text=self.text,
                parameters=self.parameters,
                now=self.now(),
                second_person=guarded,
            ).by
        if not self.context.attended:
            return approver
        self.show(acting)
        return approver if self._typed(planned) else None

    def _typed(self, planned: Planned) -> bool:
        production = self.environment.is_production
        word = self.context.incident if production else CONFIRMATION
        before = self._done(planned.title)
        again = f"It was done at {before.at:%H:%M:%SZ} by {before.by}. " if before else ""
        where = f"{planned.title!r} in {self.environment.name.upper()}"
        answer = self.ask(f"{again}{where}: type {word!r} to do it, anything else not to: ")
        return answer.strip() == word

    def _done(self, title: str) -> Acted | None:
        """Return the done action of that title, unless it was undone since."""
        done = self.timeline.last(Acted, title=title, outcome=Outcome.DONE)
        undone = self.timeline.last(Undone, title=title, outcome=Outcome.DONE)
        return None if done and undone and undone.at > done.at else done

    def _done_after(self, done: Acted) -> str | None:
        later = (
            acted.title
            for acted in self.timeline.of(Acted)
            if acted.outcome is Outcome.DONE and acted.at > done.at and self._done(acted.title)
        )
        return next((title for title in later if title != done.title), None)

    def _begun(self, title: str) -> Acting | None:
        """Return the newest attempt that has no outcome."""
        begun = self.timeline.last(Acting, title=title)
        ended = self.timeline.last(Acted, title=title)
        return None if begun and ended and ended.at >= begun.at else begun

    def _close(self, planned: Planned, why: tuple[Outcome, str], rehearsal: Json = None) -> Acted:
        outcome, reason = why
        return self.timeline.append(
            Acted(
                **self._stamp(),
                **planned.described(),
                rehearsal=rehearsal,
                outcome=outcome,
                reason=reason,
            )
        )

    def _stamp(self) -> dict[str, Any]:
        return {"at": self.now(), "run": self.context.run, "by": self.context.actor}

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other run of this incident acts."""
        with (self.context.folder / ".acting").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
