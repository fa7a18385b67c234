"""What speaks against an action or an undo, as the timeline and its checks tell it now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from runbook_nb.errors import ActionError
from runbook_nb.incident import results
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.incident.settle import half_done
from runbook_nb.text.formatting import listed
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import Attempt, Done
from runbook_nb.timeline.events import Checked, Outcome, Verdict


class Why(NamedTuple):
    """Why an action is left, and the outcome that makes."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Judges for one run; ``reread`` reads a check anew by its title."""

    live: LiveRun
    reread: Callable[[str], Checked]

    def of(self, planned: Planned) -> Why | None:
        """Return what the timeline says against an action: not chosen, begun, or done before."""
        return self._not_chosen(planned) or self._begun(planned) or self._done_before(planned)

    def done(self, planned: Planned) -> Done | None:
        """Return the same call as it was done before, and stands."""
        found = queries.done(self.live.own_events(), planned.title)
        same = found is not None and self.live.is_same_call(found.call, planned.call)
        return found if same else None

    def done_meanwhile(self, planned: Planned, before: Done | None) -> Why | None:
        """Return that somebody else did it since a person was asked."""
        now = self.done(planned)
        if now is None or now == before:
            return None
        return Why(Outcome.NOT_NEEDED, f"Done meanwhile, at {now.at:%H:%M:%SZ} by {now.by}.")

    def not_called_for(self, planned: Planned) -> Why | None:
        """Read the checks that call for the action anew, until one of them fails."""
        read: dict[str, Verdict] = {}
        for title in planned.because:
            read[title] = self.reread(title).verdict
            if read[title] is Verdict.FAIL:
                return None
        unread = [title for title, verdict in read.items() if verdict is Verdict.UNKNOWN]
        if unread:
            reason = f"Nothing calls for it: {listed(unread)} could not be read."
            return Why(Outcome.DECLINED, reason)
        if all(verdict is Verdict.PASS for verdict in read.values()):
            return Why(Outcome.NOT_NEEDED, "The check that calls for it passes now.")
        told = ", ".join(f"{title!r} is {verdict}" for title, verdict in read.items())
        return Why(Outcome.NOT_NEEDED, f"Only a failed check calls for it; now {told}.")

    def undoable(self, planned: Planned) -> Done:
        """Return what an undo would take back; raises ActionError where there is nothing."""
        events = self.live.own_events()
        if left := self._left_open(planned):
            raise ActionError(f"{half_done(left[-1])} Settle it first.")
        done = queries.done(events, planned.title)
        if done is None:
            message = f"{planned.title!r} was not done in this incident, or is undone already."
            raise ActionError(message)
        if not self.live.is_same_call(done.call, str(planned.action)):
            message = (
                f"{planned.title!r} was done as {done.call}, and its cell now says "
                f"{planned.action}. Put the cell back, run it without confirming, and undo then."
            )
            raise ActionError(message)
        if newer := queries.done_after(events, done):
            message = f"Undo {newer!r} first: it was done after {planned.title!r}."
            raise ActionError(message)
        if planned.action.undo is None:
            message = f"{planned.title!r} has no undo of its own: {planned.undo}"
            raise ActionError(message)
        return done

    def input_of(self, planned: Planned, done: Done) -> Json:
        """Return what the undo is fed with, whole; raises ActionError where it is gone."""
        found = results.kept(self.live.timeline.folder, done.attempt) if done.attempt else None
        if found is None:
            message = (
                f"What {planned.title!r} changed is no longer kept whole, so its undo is not run: "
                f"it would guess. Do it by hand: {planned.undo}"
            )
            raise ActionError(message)
        return found[0]

    def _not_chosen(self, planned: Planned) -> Why | None:
        if not planned.option:
            return None
        live = self.live
        decided = queries.decided_in(live.own_events(), live.runbook.name, run=live.context.run)
        if decided is None:
            steps = (step.heading for step in live.runbook.steps if step.verb == "decide")
            where = next((f"run the cell under {heading!r} first" for heading in steps), "decide")
            return Why(Outcome.DECLINED, f"No option was chosen yet: {where}.")
        if decided.option != planned.option:
            chosen = f"{decided.option!r} was chosen" if decided.option else "nothing was chosen"
            return Why(Outcome.DECLINED, f"{planned.option!r} was not chosen; {chosen}.")
        return None

    def _begun(self, planned: Planned) -> Why | None:
        """Say that an attempt at it, or at its undo, may be half done."""
        left = [
            attempt
            for attempt in self._left_open(planned)
            if attempt.undoes or not planned.action.repeatable
        ]
        return Why(Outcome.DECLINED, f"{half_done(left[-1])} Settle it first.") if left else None

    def _done_before(self, planned: Planned) -> Why | None:
        """Say that an unattended run does not repeat what was done; a person may."""
        done = self.done(planned)
        if done is None or self.live.context.attended:
            return None
        when = f"{done.at:%H:%M:%SZ} by {done.by}"
        return Why(Outcome.NOT_NEEDED, f"Done before, at {when}. It is not repeated.")

    def _left_open(self, planned: Planned) -> list[Attempt]:
        return [
            attempt
            for attempt in queries.unsettled(self.live.own_events())
            if attempt.title == planned.title
        ]
