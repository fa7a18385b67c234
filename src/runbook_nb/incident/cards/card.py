"""Events as cards: text and HTML made of one event, so that both say the same."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from runbook_nb.incident.cards.describe import face
from runbook_nb.incident.cards.description import Face
from runbook_nb.text.formatting import Grid, anchor, block, clock, day_and_clock, grid, one_line
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Checked, Event, Verified

CHANGED: Final = "Changed: this cell is not the runbook's. The difference is on the timeline."
_TEXT_ROWS = 8  # rows of a folded table on a terminal


class Card:
    """One event to look at: HTML in a notebook, text on a terminal.

    ``production`` names the environment where a mistake harms customers, and is empty elsewhere.
    ``changed`` tells that the cell that ran is not the runbook's, ``unfolded`` shows at once what
    must be read before an answer.
    """

    def __init__(
        self,
        event: Event,
        *,
        production: str = "",
        changed: bool = False,
        unfolded: bool = False,
    ) -> None:
        self.event, self._production, self._changed = event, production, changed
        self._unfolded = unfolded

    def __repr__(self) -> str:
        """Return the card as text."""
        banner = [f"PRODUCTION: {one_line(self._production)}"] if self._production else []
        changed = [f"  {CHANGED}"] if self._changed else []
        return "\n".join([*banner, *_text(face(self.event)), *changed])

    @property
    def brief(self) -> str:
        """The card as text without its folds: what was found, and what is next."""
        shown = face(self.event)
        changed = [f"  {CHANGED}"] if self._changed else []
        return "\n".join([*_text(shown, whole=False), *changed])

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002 - the protocol of IPython passes it
        exclude: object = None,  # noqa: ARG002 - likewise
    ) -> dict[str, Any]:
        """Return the card as text and as HTML."""
        return {"text/plain": repr(self), "text/html": f"<style>{style()}</style>{self.html()}"}

    def html(self) -> str:
        """Return the card as HTML, every value escaped; ``style()`` is its style sheet."""
        banner = production_banner(self._production) if self._production else ""
        changed = f'<p class="rb-changed"><b>{escape(CHANGED)}</b></p>' if self._changed else ""
        shown = face(self.event)
        if self._unfolded:
            shown = replace(shown, unfolded=True)
        return "".join(_html(shown, above=banner, below=changed))


@cache
def style() -> str:
    """Return the style sheet of the cards."""
    sheet = Path(__file__).with_name("cards.css").read_text(encoding="utf-8")
    return sheet.replace("\n", "")


def line(event: Event) -> str:
    """Say an event on one line, for terminals and timelines."""
    shown = face(event)
    reason = getattr(event, "reason", "")
    if isinstance(event, Checked | Verified):
        reason = event.evidence.reason
    ending = f" ({one_line(reason)})" if reason and reason != shown.title else ""
    return f"{clock(event.at)}  {one_line(shown.word)}  {shown.said}{ending}"


def production_banner(environment: str) -> str:
    """Return the line that makes production unmistakable."""
    return f'<p class="rb-production"><b>PRODUCTION</b> {_escaped(environment)}</p>'


def _text(shown: Face, *, whole: bool = True) -> Iterator[str]:
    yield f"{shown.sign} {one_line(shown.word)}  {one_line(shown.title)}"
    if shown.lead:
        yield f"  {one_line(shown.lead)}"
    for label, value in shown.facts if whole else ():
        yield f"  {label}: {one_line(value)}"
    if shown.next_step:
        yield f"  Next: {one_line(shown.next_step)}"
    if not whole:
        return
    for label, value in shown.folds:
        yield f"  {label}:"
        yield from (f"    {row}" for row in _folded_text(value))
    yield f"  At {day_and_clock(shown.at)}"


def _folded_text(value: Json) -> Iterator[str]:
    table = grid(value)
    if table is None:
        yield from block(value).splitlines()
        return
    for row in table.rows[:_TEXT_ROWS]:
        yield ", ".join(f"{name}: {cell}" for name, cell in zip(table.columns, row, strict=True))
    if len(table.rows) > _TEXT_ROWS or table.left_out:
        yield "…"


def _html(shown: Face, *, above: str, below: str) -> Iterator[str]:
    word, title = _escaped(shown.word), _escaped(shown.title)
    label = f"{word}: {title}" if title else word
    yield f'<div class="rb-card rb-{shown.tone}" role="group" aria-label="{label}">{above}'
    moment = day_and_clock(shown.at)
    yield f'<p><time datetime="{moment.replace(" ", "T")}">{moment}</time>'
    yield f'<b><span aria-hidden="true">{shown.sign}</span> {word}</b> <strong>{title}</strong></p>'
    if shown.lead:
        yield f'<p class="rb-lead">{_escaped(shown.lead)}</p>'
    for name, value in shown.facts:
        yield f"<p><i>{escape(name)}:</i> {_escaped(value)}</p>"
    if shown.next_step:
        yield f"<p><i>Next:</i> {link(shown.next_step)}</p>"
    for name, value in shown.folds:
        opened = " open" if shown.unfolded else ""
        yield f"<details{opened}><summary>{escape(name)}</summary>{_folded_html(value)}</details>"
    yield f"{below}</div>"


def _folded_html(value: Json) -> str:
    table = grid(value)
    return f"<pre>{escape(block(value))}</pre>" if table is None else table_html(table)


def table_html(table: Grid, *, labelled: bool = False) -> str:
    """Return rows as an HTML table; ``labelled`` cells name their column, for narrow screens."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)

    def cell(value: str, column: str) -> str:
        label = f' data-label="{escape(column)}"' if labelled else ""
        return f"<td{label}>{escape(value)}</td>"

    rows = ("<tr>" + "".join(map(cell, row, table.columns)) + "</tr>" for row in table.rows)
    left = f"<p>… {escape(table.left_out)}</p>" if table.left_out else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>{left}"


def link(heading: str, text: str = "") -> str:
    """Return a link to a heading of the same notebook."""
    target = quote(anchor(one_line(heading)), safe="-:.,;()'!/")
    return f'<a href="#{escape(target)}">{escape(one_line(text or heading))}</a>'


def _escaped(text: str) -> str:
    return escape(one_line(text))
