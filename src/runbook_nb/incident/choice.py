"""Let a responder choose: the recommended option by Enter, another by its letter and why."""

from collections.abc import Callable, Sequence

from runbook_nb.errors import StepNotFoundError
from runbook_nb.incident.ranking import Ranking, rank
from runbook_nb.incident.recommend import because, named, recommend, unread
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import letter
from runbook_nb.timeline.events import Checked, Decided, Verdict
from runbook_nb.timeline.queries import newest


def choose_by_hand(
    runbook: Runbook,
    checks: Sequence[Checked],
    *,
    before: Decided | None,
    ask: Callable[[str], str],
    say: Callable[[str], None],
) -> tuple[str, str] | None:
    """Return another option than the recommended one, and why; None to go by the checks.

    The question says what was chosen ``before``, perhaps by a colleague. Where every check passed
    there is nothing to choose, and nobody is asked. A letter that no option has, and an option
    without a reason, are asked for again.
    """
    missing = unread(runbook, checks)
    passed = all(checked.verdict is Verdict.PASS for checked in newest(checks).values())
    if not runbook.options() or (passed and not missing):
        return None
    ranked = rank(runbook.options(), checks, Ranking.of(runbook.front))
    recommended = recommend(ranked)
    why = because(ranked, checks, missing)
    question = f"{_chosen(before)}{_question(runbook.options(), recommended, why=why)}"
    while answer := ask(question).strip():
        try:
            option = named(answer, runbook)
        except StepNotFoundError as error:
            say(str(error))
            continue
        if option == recommended:
            return None
        if reason := ask(f"{option!r}: say in a sentence why: ").strip():
            return option, reason
        say("It needs a reason, for whoever reads the record.")
    return None


def _chosen(before: Decided | None) -> str:
    if before is None or before.option is None:
        return ""
    return f"{before.option!r} was chosen at {before.at:%H:%M:%SZ} by {before.by}. "


def _question(options: Sequence[str], recommended: str | None, *, why: str) -> str:
    letters = ", ".join(letter(option) for option in options if option != recommended)
    enter = f"Press Enter for {recommended!r}" if recommended else "Press Enter to choose none"
    return f"{why} {enter}{f' or {letters} for another option' if letters else ''}: "
