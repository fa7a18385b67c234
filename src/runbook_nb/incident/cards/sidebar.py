"""The list of runbooks and open incidents as HTML, every value escaped."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path

from runbook_nb.text.formatting import one_line


@dataclass(frozen=True, kw_only=True)
class ShownRunbook:
    """One runbook on the list: what it answers, how grave that is, and when it was proven."""

    name: str
    title: str
    group: str
    scenario: str
    severity: str
    freshness: str
    due: bool


@dataclass(frozen=True, kw_only=True)
class ShownIncident:
    """One open incident on the list, with how long it has been open in words."""

    incident: str
    title: str
    severity: str
    runbook: str
    open_for: str


def panel_style() -> str:
    """Return the style sheet of the panels around a notebook."""
    return Path(__file__).with_name("panels.css").read_text(encoding="utf-8")


def shelf_html(
    runbooks: Sequence[ShownRunbook],
    *,
    incidents: Sequence[ShownIncident],
    environments: Sequence[str],
) -> str:
    """Return open incidents, newest first, and the runbooks by group, each one click from open.

    ``environments`` are those a new incident may be in; with one there is nothing to choose.
    """
    return "".join(_html(runbooks, incidents, environments))


def _html(
    runbooks: Sequence[ShownRunbook],
    incidents: Sequence[ShownIncident],
    environments: Sequence[str],
) -> Iterator[str]:
    yield '<section class="rb-shelf" aria-label="Runbooks"><h2>Open incidents</h2>'
    yield "" if incidents else "<p>No incident is open.</p>"
    yield f"<ul>{''.join(map(_incident, incidents))}</ul>" if incidents else ""
    yield "<h2>Runbooks</h2><p>A click opens a new incident with a working copy.</p>"
    if len(environments) > 1:
        options = "".join(f"<option>{_said(name)}</option>" for name in environments)
        yield f"<p><label>Environment <select name='environment'>{options}</select></label></p>"
    for group, members in groupby(runbooks, key=lambda runbook: runbook.group):
        yield f"<h3>{_said(group or 'Other')}</h3><ul>{''.join(map(_runbook, members))}</ul>"
    yield "</section>"


def _incident(shown: ShownIncident) -> str:
    about = f"{shown.severity}, open for {shown.open_for}, {shown.runbook}"
    return (
        f'<li><button data-incident="{_said(shown.incident)}">'
        f"<strong>{_said(shown.incident)}</strong> {_said(shown.title)}"
        f"<small>{_said(about)}</small></button></li>"
    )


def _runbook(shown: ShownRunbook) -> str:
    tone = "rb-due" if shown.due else "rb-fresh"
    return (
        f'<li><button data-runbook="{_said(shown.name)}"><strong>{_said(shown.title)}</strong>'
        f"{_said(shown.scenario)}<small>{_said(shown.severity)}, "
        f'<span class="{tone}">{_said(shown.freshness)}</span></small></button></li>'
    )


def _said(text: str) -> str:
    return escape(one_line(text))
