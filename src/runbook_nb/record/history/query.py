"""What is looked for among incidents, as the condition of a query; nothing in it is syntax."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from runbook_nb.record.history.line import IncidentLine, IncidentStanding
from runbook_nb.record.history.search_words import tokens


@dataclass(frozen=True, kw_only=True)
class IncidentQuery:
    """What incidents are looked for; what is empty matches all.

    Every word of ``text`` must begin a word of the incident. ``month`` is ``2026-11``, ``drills``
    None for all, False for none and True for them alone; ``limit`` 0 gives all.
    """

    text: str = ""
    severity: str = ""
    runbook: str = ""
    verdict: str = ""
    month: str = ""
    standing: IncidentStanding | None = None
    drills: bool | None = None
    newest: bool = False
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class QueryResult:
    """The incidents that were found, each with the words around the first match, and how many."""

    total: int
    lines: tuple[IncidentLine, ...] = ()
    near: dict[str, str] = field(default_factory=dict)


def match_of(text: str) -> str:
    """Return an FTS5 query for a text: each word a phrase of its parts, the last one open.

    Words are quoted after everything but letters and digits is gone, so no text is syntax.
    """
    phrases = (" ".join(tokens(word)) for word in text.split())
    return " AND ".join(f'"{phrase}"*' for phrase in phrases if phrase)


def conditions_of(wanted: IncidentQuery) -> tuple[str, list[object]]:
    """Return the conditions on the table ``lines`` and their values."""
    found = list(_conditions(wanted))
    return " AND ".join(sql for sql, _ in found) or "true", [value for _, value in found]


def _conditions(wanted: IncidentQuery) -> Iterator[tuple[str, object]]:
    if wanted.severity:
        yield "severity = ? COLLATE NOCASE", wanted.severity
    if wanted.verdict:
        yield "verdict = ?", wanted.verdict
    if wanted.month:
        yield "month = ?", wanted.month
    if wanted.standing:
        yield "standing = ?", wanted.standing.value
    if wanted.drills is not None:
        yield "is_drill = ?", wanted.drills
    if wanted.runbook:
        yield "instr(runbooks, ?) > 0", f"\n{wanted.runbook}\n"
