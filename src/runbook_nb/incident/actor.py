"""Act: settle what was begun, re-read why, rehearse, ask, write down, do; and take back.

The order is the safety of it. Nothing is sent before the timeline says so on disk. A person is
asked outside of the turn; then, in the turn, all is looked at again, so that no action is done
twice and none after the close.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeVar

from runbook_nb.errors import ActionError, ApprovalError, TurnTakenError
from runbook_nb.incident import results
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.consent import Consent
from runbook_nb.incident.dispatch import Call, Sent, rehearse, sent
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.incident.place import Place
from runbook_nb.incident.quorum import Yes
from runbook_nb.incident.refusal import Refusals, Why
from runbook_nb.incident.settle import Settler
from runbook_nb.incident.turn import turn
from runbook_nb.text.durations import words
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acted, Acting, Outcome, Undone, Verdict
from runbook_nb.timeline.incidents import refuse_closed

# A check that was read so long ago, or before a person thought, is read again in the turn.
_JUST_NOW_S: Final = 5.0
_NOT_CONFIRMED: Final = (
    "Not confirmed, so nothing was done. To do it, run this step again and type the word."
)


E = TypeVar("E", Acted, Undone)


@dataclass(frozen=True, kw_only=True)
class Attempting(Generic[E]):
    """An action or an undo that is about to be tried: how, and what is looked at once more."""

    planned: Planned
    call: Call
    rehearsal: Json
    left: Callable[..., E]
    ended: Callable[..., E]
    refused: Callable[[bool], Why | None]


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts, on what, and by whose consent; ``refusals`` say what speaks against it."""

    live: LiveRun
    consent: Consent
    settler: Settler
    refusals: Refusals

    def act(self, planned: Planned) -> Acted:
        """Do a planned action if it is chosen, called for, and approved; else say why not.

        Raises ActionError when the action itself fails, after that is on the timeline.
        """
        self.live.working("reads again what calls for it, and rehearses.")
        before = self.refusals.done(planned)
        left: Callable[..., Acted] = partial(self._acted, planned)
        try:
            self.settler.settle(planned.title)
        except TurnTakenError as error:
            return left(outcome=Outcome.DECLINED, reason=str(error))
        read_at = time.monotonic()
        why = self.refusals.done_meanwhile(planned, before) or self.refusals.of(planned)
        if why := why or self.refusals.not_called_for(planned):
            return left(outcome=why.outcome, reason=why.reason)
        rehearsal, broken = rehearse(planned.action, self.live.environment)
        left = partial(left, rehearsal=rehearsal)
        if broken and not self.live.context.attended:
            reason = f"Its rehearsal failed, so it was not sent: {broken}"
            return left(outcome=Outcome.DECLINED, reason=reason)

        def refused(waited: bool) -> Why | None:  # noqa: FBT001 - the turn says so
            why = self.refusals.of(planned) or self.refusals.done_meanwhile(planned, before)
            late = time.monotonic() - read_at > _JUST_NOW_S
            if why or not (waited or late or self.live.context.attended):
                return why
            return self.refusals.not_called_for(planned)

        attempting: Attempting[Acted] = Attempting(
            planned=planned,
            call=planned.action.do,
            rehearsal=rehearsal,
            left=left,
            ended=left,
            refused=refused,
        )
        return self._try(attempting)

    def undo(self, planned: Planned) -> Undone:
        """Take back the newest done action, with the same consent as an action.

        Raises ActionError if it cannot be taken back, or if that fails.
        """
        self.settler.settle(planned.title)
        done = self.refusals.undoable(planned)
        result = self.refusals.input_of(planned, done)
        undo = planned.as_undo()
        fields = {"title": planned.title, "call": undo.call}
        shown = done.result if isinstance(done, Acted) else None

        def call(systems: Any, *, ending: Callable[[Json], None]) -> Json:
            return planned.action.take_back(systems, result, ending=ending)

        def refused(_waited: bool) -> Why | None:  # noqa: FBT001 - the turn says so
            now = self.refusals.undoable(planned)
            changed = Why(Outcome.DECLINED, "It was done anew meanwhile; look again.")
            return None if now == done else changed

        attempting: Attempting[Undone] = Attempting(
            planned=undo,
            call=call,
            rehearsal={"takes back": shown} if shown is not None else None,
            left=partial(self._write, Undone, fields),
            ended=partial(self._write, Undone, fields),
            refused=refused,
        )
        return self._try(attempting)

    def _try(self, attempting: Attempting[E]) -> E:
        """Ask outside of the turn, look again within it, and do it."""
        planned = attempting.planned
        described = {**self._described(planned), "rehearsal": attempting.rehearsal}
        acting = Acting(**self.live.stamp(), **described, contained=planned.action.contained)
        try:
            if self.consent.given(planned, acting) is None:
                return attempting.left(outcome=Outcome.DECLINED, reason=_NOT_CONFIRMED)
            with turn(self.live.timeline, say=self.live.screen.say) as waited:
                refuse_closed(self.live.timeline)
                yes = self.consent.approver(planned)
                if why := attempting.refused(waited):
                    return attempting.left(outcome=why.outcome, reason=why.reason)
                return self._do(attempting, yes)
        except ApprovalError as error:
            return attempting.left(outcome=Outcome.REHEARSED, reason=str(error))
        except TurnTakenError as error:
            return attempting.left(outcome=Outcome.DECLINED, reason=str(error))

    def _do(self, attempting: Attempting[E], yes: Yes) -> E:
        planned = attempting.planned
        acting = self.live.timeline.append(
            Acting(
                **self.live.stamp(),
                **self._described(planned),
                rehearsal=attempting.rehearsal,
                approved_by=yes.by,
                approvers=yes.approvers,
                # One acts at a time, so the place on the timeline names it.
                attempt=f"{self.live.context.run}.{len(self.live.timeline) + 1}",
                repeatable=planned.action.repeatable and not planned.taken_back,
                contained=planned.action.contained,
            )
        )
        self.live.reached(Place.BEGUN)
        timeout_s = planned.action.timeout_s
        self.live.working(f"does it, at most {words(timeout_s)}.")
        with sent(attempting.call, self.live, acting, timeout_s=timeout_s) as found:
            self.live.reached(Place.SENT)
            ended = attempting.ended(attempt=acting.attempt, **found.fields())
            self.live.reached(Place.ENDED)
        if queries.closed(self.live.timeline):
            results.forget(self.live.timeline.folder)
        if found.outcome is Outcome.FAILED:
            self._raise(acting, ended, found)
        return ended

    def _raise(self, acting: Acting, ended: Acted | Undone, found: Sent) -> None:
        """Settle a failure while the turn is held, and raise it."""
        if found.stop is not None:
            raise found.stop
        self.settler.by_systems()
        left = any(each.id == acting.attempt for each in self.settler.open())
        half = " and may be half done" if left or acting.repeatable else ""
        message = f"{acting.title!r} failed{half}: {ended.reason}"
        raise ActionError(message)

    def _acted(self, planned: Planned, **fields: Any) -> Acted:
        return self._write(Acted, self._described(planned), **fields)

    def _described(self, planned: Planned) -> dict[str, Any]:
        """Return what every event of an action carries; of its checks, those that fail by now."""
        newest = queries.newest(self.live.own_events())
        read = (newest[title] for title in planned.because if title in newest)
        failed = [check.title for check in read if check.verdict is Verdict.FAIL]
        return planned.described(because=failed)

    def _write(self, kind: type[E], described: dict[str, Any], **fields: Any) -> E:
        return self.live.timeline.append(kind(**self.live.stamp(), **described, **fields))
