"""How an incident stands, in one line: the first thing a reader needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from runbook_nb.record.facts.phases import fix_of
from runbook_nb.record.facts.types import ActionFacts, CheckFacts, Integrity
from runbook_nb.record.facts.verification import HeldFacts
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Event, Outcome, Verdict
from runbook_nb.timeline.queries import worst


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One line, and how good it is: never pass where something is not known."""

    verdict: Verdict
    said: str


def headline(
    events: Sequence[Event],
    *,
    integrity: Integrity,
    checks: tuple[CheckFacts, ...],
    actions: tuple[ActionFacts, ...],
    held: tuple[HeldFacts, ...],
    is_verified: bool,
) -> Headline:
    """Say how the incident stands, the worst thing first."""
    fix = fix_of(actions)
    if (broken := _broken(integrity, actions)) is not None:
        return broken
    if fix is None:
        return _unchanged(checks)
    if not is_verified:
        return Headline(verdict=Verdict.WARN, said="Changed, but not verified")
    fixed_at = len(queries.before(events, fix.event))
    if any(each.broke_at for each in held if each.seq > fixed_at):
        return Headline(verdict=Verdict.WARN, said="Fixed and verified, but it did not hold")
    return Headline(verdict=Verdict.PASS, said="Fixed and verified")


def _broken(integrity: Integrity, actions: tuple[ActionFacts, ...]) -> Headline | None:
    """Say what nobody can rely on: a record that is not whole, an action that may be half done."""
    if not integrity.valid:
        return Headline(verdict=Verdict.FAIL, said="Part of this record cannot be proven")
    if any(action.was_cut_off for action in actions):
        return Headline(verdict=Verdict.FAIL, said="An action was cut off and may be half done")
    tried = [action for action in actions if action.acted and not action.not_chosen]
    last = tried[-1] if tried else None
    if last and last.acted and last.acted.outcome is Outcome.FAILED and not last.settled:
        return Headline(verdict=Verdict.FAIL, said="An action failed and may be half done")
    return None


def _unchanged(checks: tuple[CheckFacts, ...]) -> Headline:
    """Say how it stands where nothing was changed that could have fixed it."""
    now = worst([check.verdict for check in checks])
    if now is Verdict.FAIL:
        return Headline(verdict=now, said="Found, and not fixed")
    if now is Verdict.UNKNOWN:
        said = "Not everything could be read" if checks else "Nothing was read"
        return Headline(verdict=now, said=said)
    if worst([check.worst for check in checks]) is Verdict.FAIL:
        return Headline(verdict=now, said="Recovered while nothing was changed")
    if now is Verdict.WARN:
        return Headline(verdict=now, said="Nothing failed; there are warnings")
    return Headline(verdict=now, said="Nothing was found wrong")
