"""Sources that are no Markdown, each read by its own reader into lines of Markdown."""

from collections.abc import Callable, Mapping
from typing import Final

from runbook_nb.authoring.importer.readers.asciidoc import from_asciidoc
from runbook_nb.authoring.importer.readers.html import from_html, is_html
from runbook_nb.authoring.importer.readers.macros import without_macros
from runbook_nb.authoring.importer.readers.notebook import from_notebook
from runbook_nb.authoring.importer.readers.rest import from_rest

Reader = Callable[[str], list[str]]
READERS: Final[Mapping[str, Reader]] = {
    ".adoc": from_asciidoc,
    ".asciidoc": from_asciidoc,
    ".asc": from_asciidoc,
    ".htm": from_html,
    ".html": from_html,
    ".xhtml": from_html,
    ".ipynb": from_notebook,
    ".rest": from_rest,
    ".rst": from_rest,
}
MARKDOWN: Final = frozenset({".md", ".markdown", ".mdx", ".mdown", ".mkd", ".txt", ""})


def reader_of(suffix: str, text: str) -> Reader | None:
    """Return the reader for a file by its name's end; None for Markdown. Raises KeyError."""
    if suffix in MARKDOWN:
        return from_html if is_html(text) else None
    return READERS[suffix]


__all__ = ["MARKDOWN", "READERS", "Reader", "reader_of", "without_macros"]
