"""Act: re-read why, rehearse, ask, write down, do; and take back what was done.

The order is the safety of it. Nothing is sent before the timeline says so on disk, and two runs
of one incident take turns, so that no action is done twice.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from runbook_nb.errors import ActionError, ApprovalError
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.consent import Consent
from runbook_nb.incident.dispatch import rehearse, send
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.text.formatting import listed
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import UNDO, Acted, Acting, Checked, Outcome, Undone, Verdict

_NOT_CONFIRMED: Final = (
    "Not confirmed, so nothing was done. To do it, run this step again and type the word."
)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, on what, and by whose consent; ``reread`` reads a check anew by its title."""

    live: LiveRun
    consent: Consent
    reread: Callable[[str], Checked]

    def act(self, planned: Planned) -> Acted:
        """Do a planned action if it is chosen, called for, and approved; else say why not.

        Raises ActionError when the action itself fails, after that is on the timeline.
        """
        with self._turn():
            reason = (
                self._not_chosen(planned) or self._already(planned) or self._not_called_for(planned)
            )
            return self._close(planned, reason) if reason else self._confirm_and_do(planned)

    def undo(self, planned: Planned) -> Undone:
        """Take back the newest done action; raises ActionError if it cannot be."""
        with self._turn():
            done = queries.done(self.live.timeline, planned.title)
            if done is None:
                message = f"{planned.title!r} was not done in this incident, or is undone already."
                raise ActionError(message)
            newer = queries.done_after(self.live.timeline, done)
            if newer:
                message = f"Undo {newer!r} first: it was done after {planned.title!r}."
                raise ActionError(message)
            if planned.action.undo is None:
                message = f"{planned.title!r} has no undo of its own: {planned.undo}"
                raise ActionError(message)
            return self._take_back(planned, done)

    def _confirm_and_do(self, planned: Planned) -> Acted:
        rehearsal, broken = rehearse(planned.action, self.live.environment)
        acting = Acting(**self.live.stamp(), **planned.described(), rehearsal=rehearsal)
        if broken and not self.live.context.attended:
            reason = f"Its rehearsal failed, so it was not sent: {broken}"
            return self._close(planned, (Outcome.DECLINED, reason), rehearsal)
        try:
            approved_by = self.consent.given(planned, acting)
        except ApprovalError as error:
            return self._close(planned, (Outcome.REHEARSED, str(error)), rehearsal)
        if approved_by is None:
            return self._close(planned, (Outcome.DECLINED, _NOT_CONFIRMED), rehearsal)
        return self._do(planned, rehearsal, approved_by)

    def _do(self, planned: Planned, rehearsal: Json, approved_by: str) -> Acted:
        described = {**planned.described(), "rehearsal": rehearsal}
        self.live.timeline.append(Acting(**self.live.stamp(), **described, approved_by=approved_by))
        sent = send(planned.action.do, self.live.environment)
        acted = self.live.timeline.append(Acted(**self.live.stamp(), **described, **sent.fields()))
        if sent.outcome is Outcome.FAILED:
            message = f"{planned.title!r} failed and may be half done: {acted.reason}"
            raise ActionError(message)
        return acted

    def _take_back(self, planned: Planned, done: Acted) -> Undone:
        call = f"undo of {planned.action}"
        described = {**planned.described(), "title": f"{UNDO}{planned.title}", "call": call}
        self.live.timeline.append(
            Acting(**self.live.stamp(), **described, approved_by=self.live.context.actor)
        )
        sent = send(
            lambda systems: planned.action.take_back(systems, done.result), self.live.environment
        )
        undone = self.live.timeline.append(
            Undone(**self.live.stamp(), title=planned.title, call=call, **sent.fields())
        )
        if sent.outcome is Outcome.FAILED:
            message = f"The undo of {planned.title!r} failed: {undone.reason}"
            raise ActionError(message)
        return undone

    def _not_chosen(self, planned: Planned) -> tuple[Outcome, str] | None:
        if not planned.option:
            return None
        live = self.live
        decided = queries.decided_in(live.timeline, live.runbook.name, run=live.context.run)
        if decided is None:
            steps = (step.heading for step in live.runbook.steps if step.verb == "decide")
            where = next((f"run the cell under {heading!r} first" for heading in steps), "decide")
            return Outcome.DECLINED, f"No option was chosen yet: {where}."
        if decided.option != planned.option:
            chosen = f"{decided.option!r} was chosen" if decided.option else "nothing was chosen"
            return Outcome.DECLINED, f"{planned.option!r} was not chosen; {chosen}."
        return None

    def _already(self, planned: Planned) -> tuple[Outcome, str] | None:
        """Say why an unattended run leaves an action that was begun before."""
        if self.live.context.attended:
            return None
        if done := queries.done(self.live.timeline, planned.title):
            when = f"{done.at:%H:%M:%SZ} by {done.by}"
            return Outcome.NOT_NEEDED, f"Done before, at {when}. It is not repeated."
        begun = queries.begun(self.live.timeline, planned.title)
        if begun and not planned.action.repeatable:
            when = f"{begun.at:%H:%M:%SZ}"
            reason = f"It was begun at {when} and cut off, so it may be half done. Look first."
            return Outcome.DECLINED, reason
        return None

    def _not_called_for(self, planned: Planned) -> tuple[Outcome, str] | None:
        """Read the checks that call for the action anew, until one of them fails."""
        unread = []
        for title in planned.because:
            verdict = self.reread(title).verdict
            if verdict is Verdict.FAIL:
                return None
            if verdict is Verdict.UNKNOWN:
                unread.append(title)
        if unread:
            reason = f"Nothing calls for it: {listed(unread)} could not be read."
            return Outcome.DECLINED, reason
        return Outcome.NOT_NEEDED, "The check that calls for it passes now."

    def _close(self, planned: Planned, why: tuple[Outcome, str], rehearsal: Json = None) -> Acted:
        outcome, reason = why
        return self.live.timeline.append(
            Acted(
                **self.live.stamp(),
                **planned.described(),
                rehearsal=rehearsal,
                outcome=outcome,
                reason=reason,
            )
        )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other run of this incident acts, and say so if that takes time."""
        with self.live.context.folder.turn.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.live.screen.say("Somebody else acts in this incident now; this waits for it.")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield
