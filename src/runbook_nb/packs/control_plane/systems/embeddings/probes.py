"""What is read of the library's vectors."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._gemini import answer_word, ask_to_embed
from runbook_nb.packs.control_plane.systems.embeddings._queries import SAME_TEXT, entries, fits
from runbook_nb.probes.calls import Reading, Systems, probe

# The job that embeds new and changed texts runs every few minutes.
GRACE: Final = timedelta(minutes=15)
# Half of a sample are the entries that were changed last, half are chosen by their ids.
_SHOWN: Final = 20


@probe(unit="", timeout_s=12)
def answers(systems: Systems) -> Reading:
    """Tell how the embedding model answers one short text: ``ok``, or the kind of refusal.

    Words: ``quota used up``, ``overloaded``, ``no such model``, ``key refused``, ``forbidden``,
    ``not JSON``, ``HTTP 5xx``, ``no answer``. The text costs one token of the quota.
    """
    import httpx

    model = systems.setting("gemini", "embedding_model")
    try:
        answer = ask_to_embed(systems, ["library"])
    except httpx.TransportError as error:
        return Reading(value="no answer", detail={"model": model, "error": str(error)})
    return Reading(value=answer_word(answer), detail={"model": model, "status": answer.status_code})


@probe(unit="entries")
def missing(systems: Systems, *, grace: timedelta = GRACE) -> Reading:
    """Count entries without a vector whose text is older than ``grace``."""
    found = entries(systems, grace=grace)
    return _counted([row for row in found if row["wrong"] == "missing" and row["settled"]], found)


@probe(unit="entries")
def foreign(systems: Systems) -> Reading:
    """Count vectors of another provider or model than the settings name.

    ``models/NAME`` and ``NAME`` are the same model.
    """
    found = entries(systems, grace=GRACE)
    return _counted([row for row in found if row["wrong"] == "foreign"], found)


@probe(unit="entries")
def unusable(systems: Systems) -> Reading:
    """Count vectors without a direction: their length is 0 or no number, so no search finds them.

    Any other length does no harm: the search compares directions.
    """
    found = entries(systems, grace=GRACE)
    rows = [row for row in found if row["wrong"] == "unusable"]
    norms = sorted(row["norm"] for row in found if row["embedded"])
    return _counted(rows, found, lengths={"shortest": norms[:1], "longest": norms[-1:]})


@probe(unit="%")
def shared(systems: Systems) -> Reading:
    """Return how many of the entries share their vector with another text, in percent.

    Two entries with the same text may share one.
    """
    found = entries(systems, grace=GRACE)
    rows = [row for row in found if row["wrong"] == "shared"]
    reading = _counted(rows, found)
    return Reading(value=round(100 * len(rows) / len(found), 1), detail=reading.detail)


@probe(unit="entries", timeout_s=30)
def unfit(systems: Systems, *, sample: int = 200, grace: timedelta = GRACE) -> Reading:
    """Count the sampled entries whose vector is not that of their text, by embedding it anew.

    Half of the sample are the entries that were changed last. What the other checks count, and
    what was written within ``grace``, is left out. Raises NoAnswerError where nothing can be
    embedded.
    """
    found = entries(systems, grace=grace)
    well = [row for row in found if not row["wrong"] and row["settled"]]
    if not well:
        raise NoAnswerError("No entry has a vector that could be compared with its text.")
    chosen = _sample(well, size=sample)
    tried = fits(systems, [row["id"] for row in chosen])
    cosines = {one["id"]: one["cosine"] for one in tried}
    rows = [row for row in chosen if (cosines[row["id"]] or 0) < SAME_TEXT]
    shown = [{**row, "cosine": cosines[row["id"]]} for row in rows]
    return _counted(shown, found, compared=len(chosen))


def _sample(rows: list[dict[str, Any]], *, size: int) -> list[dict[str, Any]]:
    newest = sorted(rows, key=lambda row: row["written_at"], reverse=True)[: size // 2]
    taken = {row["id"] for row in newest}
    others = [row for row in sorted(rows, key=lambda row: row["text"]) if row["id"] not in taken]
    return newest + others[: size - len(newest)]


def _counted(rows: list[dict[str, Any]], found: list[dict[str, Any]], **more: object) -> Reading:
    """Return how many rows it are, with whose they are and of what; no text of a customer."""
    shown = ("id", "tenant", "written_at", "provider", "model", "norm", "cosine")
    detail: Mapping[str, Any] = {
        "entries": len(found),
        "by tenant": dict(Counter(row["tenant"] or "everybody's" for row in rows)),
        "by model": dict(Counter(f"{row['provider']} {row['model']}" for row in rows)),
        **more,
        "first": [{name: row[name] for name in shown if name in row} for row in rows[:_SHOWN]],
    }
    return Reading(value=len(rows), detail=detail)
