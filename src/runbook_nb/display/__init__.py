"""How an event looks: a card in text and HTML, and a line for the terminal."""

from runbook_nb.display.card import Card, line, style, table_html

__all__ = ["Card", "line", "style", "table_html"]
