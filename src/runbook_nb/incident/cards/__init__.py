"""How an event looks: a card in text and HTML, a line for the terminal, and the board of all."""

from runbook_nb.incident.cards.board_card import BoardCard, board_html, board_text
from runbook_nb.incident.cards.card import Card, line, style, table_html

__all__ = ["BoardCard", "Card", "board_html", "board_text", "line", "style", "table_html"]
