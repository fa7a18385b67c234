"""Consent to an action: an approval on the timeline, or a word that the responder types."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runbook_nb.errors import ApprovalError
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.approval import ApprovalClaim, demand
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acting

CONFIRMATION: Final = "do"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Where a yes comes from: the timeline, or a responder whom ``ask`` puts the question to.

    ``parameters`` is the digest of the parameters that the yes must be given for.
    """

    live: LiveRun
    parameters: str
    ask: Callable[[str], str]

    def given(self, planned: Planned, acting: Acting) -> str | None:
        """Return who said yes; None when the responder did not. Raises ApprovalError."""
        approver = self.approver(planned)
        if not self.live.context.attended:
            return approver
        self.live.screen.card(self.live.card(acting, changed=planned.changed))
        return approver if self._typed(planned) else None

    def approver(self, planned: Planned) -> str:
        """Return whose yes holds now, before a word is typed; raises ApprovalError."""
        guarded = self.live.environment.is_production and planned.action.irreversible
        if guarded or not self.live.context.attended:
            return self._approver(planned, second_person=guarded)
        return self.live.context.actor

    def _approver(self, planned: Planned, *, second_person: bool) -> str:
        if planned.uncovered:
            named = " and ".join(map(repr, planned.uncovered))
            message = (
                f"The cell of {named} is not as it was when this run began, and an approval holds "
                "only for that text. Save the notebook, run its opening cell again, and have the "
                "option approved again."
            )
            raise ApprovalError(message)
        claim = ApprovalClaim(
            option=planned.option,
            title=planned.title,
            call=planned.call,
            text=self.live.runbook.digest,
            parameters=self.parameters,
            now=self.live.now(),
            acting=self.live.context.actor,
            second_person=second_person,
        )
        return demand(queries.approvals(self.live.timeline, planned.option), claim).by

    def _typed(self, planned: Planned) -> bool:
        production = self.live.environment.is_production
        word = self.live.context.incident if production else CONFIRMATION
        again = self._before(planned.title)
        where = f"{planned.title!r} in {self.live.environment.name.upper()}"
        answer = self.ask(f"{again}{where}: type {word!r} to do it, anything else not to: ")
        return answer.strip() == word

    def _before(self, title: str) -> str:
        """Say that an action was done before."""
        done = queries.done(self.live.own_events(), title)
        return f"It was done at {done.at:%H:%M:%SZ} by {done.by}. " if done else ""
