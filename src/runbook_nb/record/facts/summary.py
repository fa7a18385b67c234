"""What happened, in two or three plain sentences made of facts only."""

from collections.abc import Sequence
from datetime import datetime

from runbook_nb.record.facts.resolution import Resolution, ResolutionState
from runbook_nb.record.facts.types import ActionFacts, CheckFacts, RunFacts
from runbook_nb.text.formatting import counted, listed, one_line, time_of_day
from runbook_nb.timeline.events import Decided, Outcome, Verdict

_NAMED = 6  # titles in one sentence; more are counted


def proven(count: int, *, whole: bool) -> str:
    """Say that only some events are proven, where the timeline is not whole."""
    if whole:
        return ""
    if count == 0:
        return "No event can be proven, so nothing is known."
    return f"Only the first {counted(count, 'event')} can be proven; this tells of no more."


def found(checks: Sequence[CheckFacts], resolved: Resolution) -> str:
    """Say what the checks showed, by the worst verdict of each; what came of a change apart."""
    if not checks:
        return "No check was read, so nothing is known."
    harmed = resolved.harmed
    failed = [title for title in _titles(checks, Verdict.FAIL) if title not in harmed]
    unread = _titles(checks, Verdict.UNKNOWN)
    warned = _titles(checks, Verdict.WARN)
    total = len(checks)
    if failed:
        also = f"; {len(unread)} could not be read: {_named(unread)}" if unread else ""
        also += f"; only after a change did {_named(harmed)} fail" if harmed else ""
        return f"{len(failed)} of {counted(total, 'check')} failed: {_named(failed)}{also}."
    if harmed:
        return f"No check of {total} failed before the change; {_named(harmed)} did after it."
    if unread:
        return f"No check failed, but {len(unread)} of {total} could not be read: {_named(unread)}."
    if warned:
        return f"No check of {total} failed; {len(warned)} warned: {_named(warned)}."
    every = "The only check" if total == 1 else f"All {total} checks"
    return f"{every} passed: nothing was found wrong."


def done(
    actions: Sequence[ActionFacts], decisions: Sequence[Decided], *, since: datetime | None
) -> str:
    """Say what was changed, and what may be half done."""
    options = dict.fromkeys(one_line(each.option) for each in decisions if each.option)
    chosen = f"{listed(options)} {'was' if len(options) == 1 else 'were'} chosen" if options else ""
    cut = [action for action in actions if action.was_cut_off]
    if cut:
        return f"“{_named([each.title for each in cut])}” was cut off and may be half done."
    failed = [a for a in actions if _outcome(a) is Outcome.FAILED and a.settled is None]
    finished = [action for action in actions if action.is_done]
    undone = [action.title for action in actions if action.is_undone]
    said = [chosen] if chosen else []
    said += [
        f"“{one_line(each.title)}” was done at {time_of_day(each.event.at, since)} UTC"
        for each in finished
    ]
    said += [f"“{one_line(each.title)}” failed and may be half done" for each in failed]
    said += [f"“{_named(undone)}” was undone"] if undone else []
    if not (finished or failed or undone):
        said.append(_not_done(actions))
    return f"{'; '.join(said)}."


def standing(resolved: Resolution, checks: Sequence[CheckFacts]) -> str:
    """Say whether what was changed helped, and which checks say so or do not."""
    if resolved.changed_at is None:
        return ""
    if resolved.is_fixed:
        return f"Verified: {_passing(resolved.passing, checks)}."
    if resolved.state is ResolutionState.NOT_KNOWN:
        return ""
    if not (resolved.broke or resolved.failing or resolved.doubtful or resolved.passing):
        return "Nothing was verified after it."
    said = [f"{_named(resolved.broke)} passed after it and failed again"] if resolved.broke else []
    missed = [title for title in resolved.failing if title not in resolved.broke]
    said += [f"{_named(missed)} did not pass again"] if missed else []
    doubtful = [title for title in resolved.doubtful if title not in resolved.broke]
    said += [f"{_named(doubtful)} did not clearly pass"] if doubtful else []
    said += (
        [f"{_named(resolved.unread)} {_was(resolved.unread)} not read again"]
        if (resolved.unread)
        else []
    )
    return f"Not verified: {'; '.join(said)}." if said else "Nothing was verified after it."


def ending(runs: Sequence[RunFacts], *, is_open: bool, whole: bool) -> str:
    """Say where it stopped early, and whether it is still open, if all of it is known."""
    if not whole:
        return ""
    said = [stopped_at(run, is_open=is_open) for run in runs[-1:]]
    said += ["The incident is still open."] if is_open else []
    return " ".join(part for part in said if part)


def stopped_at(run: RunFacts, *, is_open: bool) -> str:
    """Say where a run stopped that did not come to its end; empty where it did."""
    after = f" The last step seen is {one_line(run.last_step)}." if run.last_step else ""
    if run.stopped:
        return f"The run stopped early: {one_line(run.stopped).rstrip('.')}."
    if run.complete is False:
        because = f": {one_line(run.reason).rstrip('.')}" if run.reason else ""
        return f"The run of {run.runbook} did not come to its end{because}.{after}"
    # A responder ends a run by closing the incident; nothing else marks its end.
    if run.complete is None and (is_open or not run.attended):
        return f"The run of {run.runbook} has no end: it still runs or was cut off.{after}"
    return ""


def _passing(passing: Sequence[str], checks: Sequence[CheckFacts]) -> str:
    """Say which checks pass again, and which pass that were never wrong."""
    failed = _titles(checks, Verdict.FAIL)
    wrong = {check.title for check in checks if check.worst is not Verdict.PASS}
    again = [title for title in passing if title in wrong]
    never = [title for title in passing if title not in wrong]
    if len(failed) > 1 and {*again} == {*failed}:
        said = [f"all {len(failed)} failed checks pass again"]
    else:
        said = [f"{_named(again)} {_pass(again)} again"] if again else []
    said += [f"{_named(never)} {_pass(never)}{' as before' if again else ''}"] if never else []
    return "; ".join(said)


def _pass(titles: Sequence[str]) -> str:
    return "passes" if len(titles) == 1 else "pass"


def _was(titles: Sequence[str]) -> str:
    return "was" if len(titles) == 1 else "were"


def _not_done(actions: Sequence[ActionFacts]) -> str:
    outcomes = {action.title: action.said for action in actions if not action.not_chosen}
    if not outcomes:
        return "nothing was changed"
    each = [f"“{one_line(title)}” was {said}" for title, said in outcomes.items()]
    return f"nothing was changed: {listed(each)}"


def _outcome(action: ActionFacts) -> Outcome | None:
    return action.acted.outcome if action.acted else None


def _titles(checks: Sequence[CheckFacts], verdict: Verdict) -> list[str]:
    return [check.title for check in checks if check.worst is verdict]


def _named(titles: Sequence[str]) -> str:
    shown = [one_line(title, 120) for title in titles[:_NAMED]]
    if len(titles) > _NAMED:
        shown.append(f"{len(titles) - _NAMED} more")
    return listed(shown)
