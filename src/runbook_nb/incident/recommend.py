"""Choose an option from the verdicts: rank, recommend, and say why."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from runbook_nb.errors import ParameterError, StepNotFoundError, near
from runbook_nb.incident.board import is_stale
from runbook_nb.incident.ranking import Ranking, rank
from runbook_nb.incident.settle import half_done
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import letter
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import Attempt
from runbook_nb.timeline.events import Checked, Event, Option, Verdict
from runbook_nb.timeline.queries import newest, worst


def own_checks(
    timeline: Sequence[Event], runbook: Runbook, *, run: str, environment: str
) -> list[Checked]:
    """Return all readings of this run, and those of earlier runs for steps that are still there.

    So a responder continues where a machine has diagnosed, in the same environment.
    """
    events = queries.in_environment(timeline, environment)
    runs = queries.runs(events, runbook.name)
    titles = {step.title for step in runbook.steps if step.verb == "check"}
    return [
        event
        for event in queries.of(events, Checked)
        if (event.run == run or (event.run in runs and event.title in titles))
    ]


def stale_titles(checks: Sequence[Checked], *, now: datetime) -> tuple[str, ...]:
    """Return the checks whose newest reading is stale."""
    return tuple(title for title, checked in newest(checks).items() if is_stale(checked, now=now))


def recommend(ranked: Sequence[Option]) -> str | None:
    """Return the heading of the best option, or None when no check failed."""
    return next((option.heading for option in ranked if option.failed), None)


def unread(runbook: Runbook, checks: Sequence[Checked]) -> list[str]:
    """Return the checks of the diagnosis that have no reading."""
    read = newest(checks)
    return [
        step.title
        for step in runbook.steps
        if (step.verb, step.section) == ("check", "Diagnosis") and step.title not in read
    ]


def because(ranked: Sequence[Option], checks: Sequence[Checked], missing: Sequence[str]) -> str:
    """Say in one sentence what the recommendation rests on; ``missing`` were not run."""
    latest = newest(checks).values()
    called_for = [option for option in ranked if option.failed]
    if called_for:
        return " ".join(_pleas(called_for))
    said = {
        "These failed, and no option here answers them": Verdict.FAIL,
        "These could not be read": Verdict.UNKNOWN,
        "These warn": Verdict.WARN,
    }
    found = (
        f"{words}: {', '.join(titles)}."
        for words, verdict in said.items()
        if (titles := [checked.title for checked in latest if checked.verdict is verdict])
    )
    unrun = [f"These have not run: {', '.join(missing)}."] if missing else []
    return " ".join([*found, *unrun]) or "Every check passed. There is nothing to fix here."


def _pleas(called_for: Sequence[Option]) -> Iterator[str]:
    """Say what speaks for the first option, why it is first, and which others remain."""
    best, *others = called_for
    yield f"Failed: {', '.join(best.failed)}."
    if best.first and others:
        yield f"It comes first: {best.first}."
    named_before = set(best.failed)
    for other in others:
        if left := [title for title in other.failed if title not in named_before]:
            yield f"After it {other.heading!r} is still called for by {', '.join(left)}."


def named(option: str, runbook: Runbook) -> str:
    """Return the heading that ``option`` means: the whole of it, or only its letter.

    Raises StepNotFoundError with the options there are.
    """
    headings = runbook.options()
    wanted = option.strip().removeprefix("Option ").casefold()
    for heading in headings:
        whole = heading.removeprefix("Option ")
        if wanted in (whole.casefold(), letter(heading).casefold()):
            return heading
    message = f"No option {option!r} in {runbook.name}. {near(option, headings)}"
    raise StepNotFoundError(message)


def choose(
    runbook: Runbook, checks: Sequence[Checked], *, option: str | None, reason: str | None
) -> dict[str, Any]:
    """Return the fields of a decision: the option given, or else the recommended one.

    Raises ParameterError when another option than the recommended one comes without a reason, and
    StepNotFoundError for an option that the runbook does not have.
    """
    ranked = rank(runbook.options(), checks, Ranking.of(runbook.front))
    recommended = recommend(ranked)
    chosen = named(option, runbook) if option else recommended
    if chosen != recommended and not reason:
        message = (
            f"The checks speak for {recommended or 'no option'}. "
            f"To choose {chosen!r}, say why: decide(option=…, reason=…)."
        )
        raise ParameterError(message)
    missing = unread(runbook, checks)
    verdicts = [checked.verdict for checked in newest(checks).values()]
    return {
        "option": chosen,
        "recommended": recommended,
        "ranked": tuple(ranked),
        "reason": reason or because(ranked, checks, missing),
        # What was not read is not pass.
        "verdict": worst([*verdicts, *(Verdict.UNKNOWN for _ in missing)]),
        "try_next": () if chosen else tuple(runbook.front.get("related", ())),
    }


def with_begun(chosen: dict[str, Any], attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return a decision that says what may be half done: then nobody knows that all is well."""
    if not attempts:
        return chosen
    reason = " ".join([*map(half_done, attempts), chosen["reason"]])
    return {**chosen, "verdict": worst([chosen["verdict"], Verdict.UNKNOWN]), "reason": reason}
