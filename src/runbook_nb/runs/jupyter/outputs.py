"""What a tab is given of a notebook's outputs: text, pictures, and our own cards drawn anew.

An output may be of another machine or hand. HTML, Markdown and scripts in it could run code, fetch
from other hosts, or call JupyterLab's commands, so none of them is handed to a tab, whoever saved
it. A card is a view of an event: where the text of an output is that of an event of this incident,
its card is drawn from the timeline, and where it is a board, the board of now. Only a cell with
such a card is trusted: without that, a tab takes the names away that a screen reader reads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runbook_nb.incident.cards import BoardCard, Card
from runbook_nb.incident.cards.board_card import is_board_of
from runbook_nb.redaction.images import without_texts
from runbook_nb.timeline.events import Event, Opened, Started

_TEXT: Final = "text/plain"
_HTML: Final = "text/html"
_PICTURES: Final = ("image/png", "image/jpeg")
# What JupyterLab restores from a notebook's own metadata: the state of widgets, which are code.
_STATES: Final = ("widgets",)
_WITHHELD: Final = "(An output that is neither text nor a picture is not shown.)"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What is drawn anew: ``cards`` are HTML by their text, ``board`` is that of now."""

    cards: Mapping[str, str] = field(default_factory=dict)
    board: BoardCard | None = None

    def of(self, text: str) -> dict[str, str]:
        """Return what is drawn in the place of a text; nothing for a text of others."""
        if text in self.cards:
            return {_TEXT: text, _HTML: self.cards[text]}
        if self.board is not None and is_board_of(text, self.board.board.incident):
            return {_TEXT: repr(self.board), _HTML: self.board.html()}
        return {}


def only_looked_at(notebook: Any, drawn: Drawn) -> None:
    """Leave of a notebook's outputs what is looked at."""
    for name in _STATES:
        notebook.metadata.pop(name, None)
    for cell in notebook.cells:
        cell.metadata.pop("trusted", None)
        if cell.cell_type == "code":
            cell.outputs = [_looked_at(output, drawn) for output in cell.outputs]
            # All HTML that is left was made here and now.
            cell.metadata["trusted"] = any(_HTML in each.get("data", ()) for each in cell.outputs)


def cards_of(events: Iterable[Event]) -> dict[str, str]:
    """Return the HTML of each card that could stand under a cell, by its text."""
    known = list(events)
    named = {each.environment for each in known if isinstance(each, Opened | Started)}
    found: dict[str, str] = {}
    for event in known:
        for production in ("", *sorted(named)):
            for changed in (False, True):
                card = Card(event, production=production, changed=changed)
                found[repr(card)] = card.html()
    return found


def _looked_at(output: Any, drawn: Drawn) -> Any:
    if "data" not in output:
        return output
    output.metadata = {}
    output.data = _shown(output.data, drawn)
    return output


def _shown(data: Mapping[str, Any], drawn: Drawn) -> dict[str, str]:
    text = data.get(_TEXT)
    pictures = {kind: data[kind] for kind in _PICTURES if isinstance(data.get(kind), str)}
    kept = {kind: clean for kind, value in pictures.items() if (clean := without_texts(value))}
    if isinstance(text, str):
        kept |= {_TEXT: text, **drawn.of(text)}
    return kept or {_TEXT: _WITHHELD}
