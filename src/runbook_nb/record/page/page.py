"""The page of a record: facts, timeline and executed notebooks as one HTML file."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from runbook_nb.incident.cards import style
from runbook_nb.record.facts import Record
from runbook_nb.record.history.similar import SeenBefore
from runbook_nb.record.page.anchors import Anchors
from runbook_nb.record.page.chart import HEIGHT, LEFT, WIDTH, chart
from runbook_nb.record.page.filters import FILTERS
from runbook_nb.record.page.timeline_view import curated, full_log
from runbook_nb.record.proof import Content, Reseal, Seal
from runbook_nb.redaction import RedactionReport
from runbook_nb.runbook.folders import templates_folder
from runbook_nb.text.formatting import day_of, time_of_day
from runbook_nb.timeline.events import Event, IncidentStatus, Verdict

if TYPE_CHECKING:
    from jinja2 import Environment


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
    before: SeenBefore,
    redaction: RedactionReport,
    reseals: Sequence[Reseal] = (),
) -> str:
    """Return the whole page: one file that needs no script and no network."""
    anchors = Anchors(record, events)
    return (
        _environment()
        .get_template("index.html.j2")
        .render(
            record=record,
            curated=curated(record, events, anchors),
            log=full_log(record, events, anchors),
            anchors=anchors,
            failed=[check for check in record.checks if check.worst is not Verdict.PASS],
            passed=[check for check in record.checks if check.worst is Verdict.PASS],
            charts={check.title: chart(check, record.phases) for check in record.checks},
            chart_size=(WIDTH, HEIGHT, LEFT),
            held=defaultdict(lambda: None, {each.seq: each for each in record.held}),
            notebooks=notebooks,
            contents=contents,
            seal=seal,
            reseals=reseals,
            before=before,
            redaction=redaction,
            moment=partial(time_of_day, since=events[0].at if events else None),
            day=day_of(events[0].at) if events else "",
            card_style=style(),
            is_open=record.status is IncidentStatus.OPEN,
        )
    )


@cache
def _environment() -> "Environment":
    """Return the templates of a record, compiled once; every value is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(templates_folder("record")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment
