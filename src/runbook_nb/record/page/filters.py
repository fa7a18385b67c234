"""How facts are said on the page: the filters of its templates."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.incident.cards import table_html
from runbook_nb.incident.cards.describe import (
    agreed_by,
    face,
    named_approver,
    proven_name,
    says_to_be,
)
from runbook_nb.incident.cards.description import (
    OUTCOME_TONES,
    SIGNS,
    Tone,
    against,
    grounds,
    reading_words,
    rejected,
)
from runbook_nb.record.facts.types import ActionFacts
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import (
    block,
    counted,
    day_and_time,
    difference,
    grid,
    listed,
    one_line,
    said,
)
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Checked, Decided, Event, Evidence, Outcome, Verified

if TYPE_CHECKING:
    from markupsafe import Markup

_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_. -]")
_LARGE: Final = 10_000  # bytes; from here on a file's size is said in kB


def read(event: Checked | Verified) -> str:
    """Say the reading alone; what was expected stands in its own column."""
    fail = getattr(event, "fail", "")
    whole = against(event.evidence, "", f"{event.expect} {fail}")
    return f"{whole}: {event.evidence.reason}" if event.evidence.reason else whole


def rows(evidence: Evidence) -> Json:
    """Return the rows that came back, whether they are the answer or its detail."""
    return evidence.answer if isinstance(evidence.answer, list | tuple) else evidence.detail


def asked(evidence: Evidence) -> str:
    """Return what was asked: the resolved queries and requests, or the call of the probe."""
    return "\n\n".join(block(question) for question in evidence.asked) or block(evidence.question)


def table(value: Json) -> "Markup":
    """Return rows as a table, anything else as its text, escaped either way."""
    from markupsafe import Markup, escape

    shown = grid(value)
    if shown is None:
        return Markup("<pre>{}</pre>").format(escape(block(value)))
    return Markup(table_html(shown, labelled=True))  # noqa: S704 - it escapes every cell


def margin_text(text: str) -> str:
    """Return a text as it may stand in quotes in a style: letters, digits and a few signs alone."""
    return _NOT_PLAIN.sub("", text)[:64]


def turned_down(event: Decided) -> list[tuple[str, str]]:
    """Return the rejected options, those that share a reason together."""
    grouped: dict[str, list[str]] = {}
    for heading, why in rejected(event):
        grouped.setdefault(why, []).append(heading)
    return [("; ".join(headings), why) for why, headings in grouped.items()]


def action_tone(action: ActionFacts) -> Tone:
    """Return the tone of what became of an action."""
    if action.was_cut_off:
        return Tone.FAIL
    if action.settled or action.acted is None:
        return OUTCOME_TONES[Outcome.DONE] if action.done else Tone.WARN
    return OUTCOME_TONES[action.acted.outcome]


def size(count: int) -> str:
    """Say the size of a file."""
    return f"{count:,} bytes" if count < _LARGE else f"{count / 1000:,.0f} kB"


def tone_sign(tone: str) -> str:
    """Return the sign that says a tone, or a verdict, without colour."""
    return SIGNS[Tone(tone)]


def newest(events: Sequence[Verified]) -> list[Verified]:
    """Return the newest verification of each check, those that did not pass first."""
    last = {event.title: event for event in events}
    return sorted(last.values(), key=lambda event: event.verdict == "pass")


def told(event: Event) -> str:
    """Return the title that an event goes by."""
    return face(event).title


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "action_tone": action_tone,
    "agreed_by": agreed_by,
    "asked": asked,
    "block": block,
    "counted": counted,
    "day_and_time": day_and_time,
    "difference": difference,
    "grounds": grounds,
    "iso": lambda moment: moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
    "listed": listed,
    "margin_text": margin_text,
    "named_approver": named_approver,
    "newest": newest,
    "one_line": one_line,
    "proven_name": proven_name,
    "read": read,
    "reading_words": partial(reading_words, moment=day_and_time),
    "rows": rows,
    "said": said,
    "says_to_be": says_to_be,
    "sign": tone_sign,
    "size": size,
    "table": table,
    "told": told,
    "turned_down": turned_down,
    "words": words,
}
