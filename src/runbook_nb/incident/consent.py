"""Consent to an action: an approval on the timeline, or a word that the responder types."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runbook_nb.errors import ApprovalError, ParameterError, ProjectError
from runbook_nb.incident.action_spec import Planned
from runbook_nb.incident.live_run import LiveRun
from runbook_nb.incident.quorum import ApprovalClaim, Yes, demand
from runbook_nb.runbook.people import People, read_people
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acting

CONFIRMATION: Final = "do"
_NO: Final = frozenset({"", "n", "no"})
_TRIES: Final = 3
_SHOWN: Final = 40  # characters of a wrong word
# What cannot be undone in production is never one person's to say, whoever asked for it.
_TWO_PEOPLE: Final = 2


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Where a yes comes from: the timeline, or a responder whom ``ask`` puts the question to.

    ``parameters`` is the digest of the parameters that the yes must be given for, ``code`` returns
    that of the pack code, and ``people`` whose keys count.
    """

    live: LiveRun
    parameters: str
    ask: Callable[[str], str]
    code: Callable[[], str]
    people: Callable[[], People] = read_people

    def given(self, planned: Planned, acting: Acting) -> Yes | None:
        """Return who said yes; None when the responder did not. Raises ApprovalError."""
        approver = self.approver(planned)
        if not self.live.context.attended:
            return approver
        self.live.screen.rest()
        self.live.screen.card(self.live.card(acting, changed=planned.changed))
        return approver if self._typed(planned) else None

    def approver(self, planned: Planned) -> Yes:
        """Return whose yes holds now, before a word is typed; raises ApprovalError."""
        place = self.live.environment
        guarded = place.is_production and planned.action.irreversible
        if self.live.context.attended and not guarded:
            return Yes(by=self.live.context.actor)
        signatures = _TWO_PEOPLE if guarded else int(place.approve == "signed")
        return self._demanded(planned, signatures)

    def _demanded(self, planned: Planned, signatures: int) -> Yes:
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
            code=self.code(),
            now=self.live.now(),
            signatures=signatures,
        )
        try:
            return demand(self.live.timeline, claim, self.people)
        except (ParameterError, ProjectError) as error:
            # Whose key it is cannot be told, so nothing is done; the run goes on to say so.
            raise ApprovalError(str(error)) from error

    def _typed(self, planned: Planned) -> bool:
        """Have the word typed; another one, most often a slip, is asked for again a few times."""
        production = self.live.environment.is_production
        word = self.live.context.incident if production else CONFIRMATION
        again = self._before(planned.title)
        where = f"{planned.title!r} in {self.live.environment.name.upper()}"
        question = f"{where}: type {word!r} to do it, Enter not to: "
        for _ in range(_TRIES):
            answer = self.ask(f"{again}{question}").strip()
            if answer == word:
                return True
            if answer.lower() in _NO:
                return False
            again = f"That was {answer[:_SHOWN]!r}; nothing was done. "
        return False

    def _before(self, title: str) -> str:
        """Say that an action was done before."""
        done = queries.done(self.live.own_events(), title)
        return f"It was done at {done.at:%H:%M:%SZ} by {done.by}. " if done else ""
