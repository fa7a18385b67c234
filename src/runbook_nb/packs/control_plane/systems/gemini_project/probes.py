"""What is read of the project."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._gemini import count_tokens
from runbook_nb.packs.control_plane.systems._gemini_models import in_use, usual
from runbook_nb.packs.control_plane.systems._gemini_quotas import KINDS, agreed, quotas_of
from runbook_nb.probes.calls import Reading, Systems, probe

CLOSED = frozenset({"key refused", "billing closed", "forbidden"})
# These say that the project was let in, and something else is wrong.
LET_IN = frozenset({"ok", "no such model"})


@probe(unit="")
def standing(systems: Systems) -> Reading:
    """Return ``open`` where Google lets our key and project in, else what it refuses.

    Counting tokens is the question: it takes nothing of a quota. Raises NoAnswerError where the
    answer tells neither.
    """
    word = count_tokens(systems, usual(systems))
    if word not in CLOSED | LET_IN:
        message = f"Gemini's answer does not tell how the project stands: {word}."
        raise NoAnswerError(message)
    return Reading(value=word if word in CLOSED else "open", detail={"answer": word})


@probe(unit="%")
def used(systems: Systems, *, of: str) -> Reading:
    """Return how much of a quota of the model in use is used, in percent, by the whole project.

    ``of`` is requests_a_day, which begins anew at midnight in California, requests_a_minute or
    tokens_a_minute. Where machines use several models, the fullest one tells.
    """
    found = [quotas_of(systems, model)[of] for model in sorted({*in_use(systems).values()})]
    worst = max(found, key=lambda quota: quota.percent)
    return Reading(value=worst.percent, detail=[quota.as_json() for quota in found])


@probe(unit="quotas")
def lowered(systems: Systems) -> Reading:
    """Count the quotas of the usual model that are smaller than what was agreed on with Google."""
    found = quotas_of(systems, usual(systems))
    rows = [{**found[kind].as_json(), "agreed on": agreed(systems, kind)} for kind in KINDS]
    smaller = [row for row in rows if row["limit"] < row["agreed on"]]
    return Reading(value=len(smaller), detail=rows)
