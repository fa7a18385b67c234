"""The page of a record: facts, timeline and executed notebooks as one HTML file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runbook_nb.archive.fragment import clean_html, exporter_of
from runbook_nb.display import style, table_html
from runbook_nb.display.face import OUTCOME_TONES, SIGNS, Tone, against, grounds, rejected
from runbook_nb.display.faces import face
from runbook_nb.display.wording import block, clock, counted, day_and_clock, grid, one_line, said
from runbook_nb.durations import words
from runbook_nb.lean import lean_imports
from runbook_nb.model import (
    UNDO,
    Acting,
    Checked,
    Event,
    Evidence,
    IncidentStatus,
    Json,
    Noted,
    Outcome,
    Verdict,
    Verified,
)
from runbook_nb.proof import Content, Seal
from runbook_nb.record import Record


@dataclass(frozen=True, kw_only=True)
class ShownNotebook:
    """An executed notebook as HTML, or the reason why it cannot be shown."""

    name: str
    html: str = ""
    problem: str = ""


def page(
    record: Record,
    events: Sequence[Event],
    *,
    notebooks: Sequence[ShownNotebook],
    contents: Sequence[Content],
    seal: Seal,
) -> str:
    """Return the whole page: one file that needs no script and no network."""
    lean_imports()
    import nbformat

    exporter = exporter_of("index.html.j2", clean=clean_html, filters=_filters())
    resources = {
        "record": record,
        "verdict": record.verdict,
        "events": list(events),
        "curated": curated(events),
        "notebooks": list(notebooks),
        "contents": list(contents),
        "seal": seal,
        "moment": moment(events),
        "card_style": style(),
        "is_open": record.status is IncidentStatus.OPEN,
    }
    empty = nbformat.v4.new_notebook()
    html: str = exporter.from_notebook_node(empty, resources={"page": resources})[0]
    return html


def curated(events: Sequence[Event]) -> list[Event]:
    """Return the events that tell the story: no passed readings, no begin that has an end."""
    return [
        event
        for place, event in enumerate(events)
        if not (
            (isinstance(event, Checked) and event.verdict is Verdict.PASS)
            or (isinstance(event, Noted) and event.runbook)
            or (isinstance(event, Acting) and _has_end(event, events[place + 1 :]))
        )
    ]


def moment(events: Sequence[Event]) -> Any:
    """Return how times are said: the day is left out where all events share one."""
    days = {day_and_clock(event.at)[:10] for event in events}
    return clock if len(days) == 1 else day_and_clock


def _has_end(begun: Acting, later: Sequence[Event]) -> bool:
    title = begun.title.removeprefix(UNDO)
    return any(
        event.kind in ("acted", "undone") and getattr(event, "title", "") == title
        for event in later
    )


def _filters() -> dict[str, Any]:
    return {
        "words": words,
        "clock": clock,
        "day_and_clock": day_and_clock,
        "one_line": one_line,
        "block": block,
        "said": said,
        "counted": counted,
        "face": face,
        "rejected": rejected,
        "grounds": grounds,
        "read": _read,
        "table": _table,
        "verdict_sign": lambda verdict: SIGNS[Tone(verdict.value)],
        "outcome_tone": lambda outcome: OUTCOME_TONES[Outcome(outcome)],
        "sign": lambda tone: SIGNS[Tone(tone)],
        "asked": lambda evidence: "\n\n".join(block(question) for question in evidence.asked),
        "rows": _rows,
        "size": _size,
    }


def _read(event: Checked | Verified) -> str:
    """Say the reading alone; what was expected stands in its own column."""
    fail = getattr(event, "fail", "")
    whole = against(event.evidence, "", f"{event.expect} {fail}")
    return f"{whole}: {event.evidence.reason}" if event.evidence.reason else whole


def _rows(evidence: Evidence) -> Json:
    return evidence.answer if isinstance(evidence.answer, list | tuple) else evidence.detail


def _table(value: Json) -> Any:
    """Return rows as a table, anything else as its text, escaped either way."""
    from markupsafe import Markup, escape

    shown = grid(value)
    if shown is None:
        return Markup("<pre>{}</pre>").format(escape(block(value)))
    return Markup(table_html(shown))  # noqa: S704 - table_html escapes every cell


def _size(count: int) -> str:
    return f"{count:,} bytes" if count < 10_000 else f"{count / 1000:,.0f} kB"  # noqa: PLR2004
