"""How an incident stands, in one line: the first thing a reader needs."""

from dataclasses import dataclass

from runbook_nb.record.facts.resolution import Resolution
from runbook_nb.record.facts.types import ActionFacts, CheckFacts, Integrity
from runbook_nb.timeline.events import Outcome, Verdict
from runbook_nb.timeline.queries import worst


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One line, and how good it is: never pass where something is not known."""

    verdict: Verdict
    said: str


def headline(
    resolved: Resolution,
    *,
    integrity: Integrity,
    checks: tuple[CheckFacts, ...],
    actions: tuple[ActionFacts, ...],
) -> Headline:
    """Say how the incident stands, the worst thing first."""
    if (broken := _broken(integrity, actions)) is not None:
        return broken
    if resolved.changed_at is None:
        return _unchanged(checks, resolved)
    if resolved.is_fixed:
        return Headline(verdict=Verdict.PASS, said="Fixed and verified")
    if resolved.broke:
        verdict = Verdict.FAIL if resolved.failing else Verdict.WARN
        return Headline(verdict=verdict, said="Changed and verified, but it did not hold")
    if resolved.failing:
        return Headline(verdict=Verdict.FAIL, said="Changed, but not fixed")
    return Headline(verdict=Verdict.WARN, said="Changed, but not verified")


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


def _unchanged(checks: tuple[CheckFacts, ...], resolved: Resolution) -> Headline:
    """Say how it stands where nothing was changed that could have fixed it."""
    now = worst([check.verdict for check in checks])
    if now is Verdict.FAIL:
        return Headline(verdict=now, said="Found, and not fixed")
    if now is Verdict.UNKNOWN:
        said = "Not everything could be read" if checks else "Nothing was read"
        return Headline(verdict=now, said=said)
    if resolved.is_over:
        return Headline(verdict=now, said="Recovered while nothing was changed")
    if now is Verdict.WARN:
        return Headline(verdict=now, said="Nothing failed; there are warnings")
    return Headline(verdict=now, said="Nothing was found wrong")
