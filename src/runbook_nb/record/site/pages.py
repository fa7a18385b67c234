"""The pages of the archive, from templates that escape every value."""

import base64
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from runbook_nb.incident.cards.description import SIGNS, Tone
from runbook_nb.record.history import IncidentLine
from runbook_nb.record.site.charts import count_chart, time_chart
from runbook_nb.record.site.figures import Figures, by_month, by_severity, severities
from runbook_nb.record.site.matrix import Matrix
from runbook_nb.record.site.rows import Row
from runbook_nb.record.site.runbook_stats import Book
from runbook_nb.runbook.folders import templates_folder
from runbook_nb.runbook.steps import letter
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import counted, day_and_time, one_line
from runbook_nb.timeline.events import VERDICTS_BY_RANK

if TYPE_CHECKING:
    from jinja2 import Environment

INDEX: Final = "index.html"
METRICS: Final = "metrics.html"
MATRIX: Final = "matrix.html"
TIMES: Final = (
    ("detect", "Time to detect", "From when the alert says the trouble began until it was opened."),
    (
        "mitigate",
        "Time to mitigate",
        "From that until the action was done that fixed it, where one did.",
    ),
    ("resolve", "Time to resolve", "From that until the close, where the trouble was over."),
)


def index_page(rows: Sequence[Row], *, lookup: str, books: Sequence[Book]) -> str:
    """Return the list of all incidents with its search."""
    lines = [row.line for row in rows]
    return _page(
        "index.html.j2",
        rows=rows,
        lookup=lookup,
        pages={book.name: quote(book.page) for book in books},
        severities=sorted({line.severity for line in lines if line.severity}),
        verdicts=[str(verdict) for verdict in reversed(VERDICTS_BY_RANK)],
        months=sorted({line.month for line in lines if line.month}, reverse=True),
        drills=sum(line.is_drill for line in lines),
        standings=sorted({row.standing for row in rows}),
    )


def metrics_page(lines: Sequence[IncidentLine]) -> str:
    """Return counts and times by month and by severity, drills apart."""
    nights = [line for line in lines if not line.is_drill]
    drills = [line for line in lines if line.is_drill]
    groups = [_group("Incidents", nights), *([_group("Drills", drills)] if drills else [])]
    return _page("metrics.html.j2", groups=groups)


def matrix_page(matrix: Matrix | None) -> str:
    """Return the newest matrix of drills, or how one is run."""
    return _page("matrix.html.j2", matrix=matrix)


def book_page(book: Book, rows: Sequence[Row]) -> str:
    """Return what incidents say of one runbook; ``rows`` are those that ran it."""
    return _page("runbook.html.j2", book=book, rows=rows)


def _group(name: str, lines: Sequence[IncidentLine]) -> dict[str, Any]:
    monthly, severe = by_month(lines), by_severity(lines)
    counts = (
        count_chart(f"{name} a month, {severity}", monthly, severity=severity)
        for severity in severities(lines)
    )
    return {
        "name": name,
        "count": len(lines),
        "months": [each for each in monthly if each.count],
        "severities": severe,
        "counts": [drawn for drawn in counts if drawn.has_values],
        "times": [_times(name, monthly, severe, told) for told in TIMES],
    }


def _times(
    name: str, monthly: Sequence[Figures], severe: Sequence[Figures], told: tuple[str, str, str]
) -> dict[str, Any]:
    of, title, begin = told
    known = [each for each in severe if getattr(each, of).known]
    charts = (
        time_chart(f"{title} by {by}, median, {name.lower()}", figures, of=of)
        for by, figures in (("month", monthly), ("severity", known))
    )
    return {
        "title": title,
        "from": begin,
        "charts": [drawn for drawn in charts if drawn.has_values],
    }


def _page(template: str, **values: Any) -> str:
    html: str = _templates().get_template(template).render(**values)
    return html


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = templates_folder("archive")
    templates = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _own(folder / "archive.css"), _own(folder / "search.js")
    templates.globals |= {
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
    }
    templates.filters |= {
        "one_line": one_line,
        "counted": counted,
        "letter": lambda option: letter(option) if option else "",
        "day_and_time": day_and_time,
        "words": words,
        "sign": lambda verdict: SIGNS[Tone(verdict)],
    }
    return templates


def _own(path: Path) -> str:
    """Return a text of ours that stands in a page as it is: the only ones that do."""
    return path.read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the hash by which the page's policy allows this text and no other."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
