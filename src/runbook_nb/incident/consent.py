"""Consent to an action: an approval on the timeline, or a word that the responder types."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from runbook_nb.approval import demand
from runbook_nb.context import RunContext
from runbook_nb.environment import Environment
from runbook_nb.incident import past
from runbook_nb.incident.planned import Planned
from runbook_nb.model import Acting, Approved
from runbook_nb.timeline import Timeline

CONFIRMATION: Final = "do"


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Where a yes comes from. ``text`` and ``parameters`` are the digests it must be given for.

    ``ask`` puts a question to the responder, after ``show`` has displayed what it is about.
    """

    context: RunContext
    environment: Environment
    timeline: Timeline
    text: str
    parameters: str
    now: Callable[[], datetime]
    ask: Callable[[str], str]
    show: Callable[[Acting], None]

    def given(self, planned: Planned, acting: Acting) -> str | None:
        """Return who said yes; None when the responder did not. Raises ApprovalError."""
        guarded = self.environment.is_production and planned.action.irreversible
        approver = self.context.actor
        if guarded or not self.context.attended:
            approver = self._approver(planned, second_person=guarded)
        if not self.context.attended:
            return approver
        self.show(acting)
        return approver if self._typed(planned) else None

    def _approver(self, planned: Planned, *, second_person: bool) -> str:
        return demand(
            self.timeline.last(Approved, option=planned.option),
            option=planned.option,
            title=planned.title,
            call=str(planned.action),
            text=self.text,
            parameters=self.parameters,
            now=self.now(),
            second_person=second_person,
        ).by

    def _typed(self, planned: Planned) -> bool:
        production = self.environment.is_production
        word = self.context.incident if production else CONFIRMATION
        before = past.done(self.timeline, planned.title)
        again = f"It was done at {before.at:%H:%M:%SZ} by {before.by}. " if before else ""
        where = f"{planned.title!r} in {self.environment.name.upper()}"
        answer = self.ask(f"{again}{where}: type {word!r} to do it, anything else not to: ")
        return answer.strip() == word
