"""A quick proof that Markdown and notebook are one, without the notebook libraries.

It proves only what needs no judgement: the notebook, written out as Markdown, is the file to the
letter. Everything else is left to the exact comparison of the pairs.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.cells import Cell
from runbook_nb.runbook.document import Document


def is_twin(markdown: Document) -> bool:
    """Tell whether the notebook certainly holds what the Markdown says; outputs left out."""
    try:
        notebook = Document.read(markdown.path.with_suffix(".ipynb"))
        if _plain(notebook.ours) != _plain(markdown.ours):
            return False
    except (RunbookFormatError, OSError, TypeError):
        return False
    body = "\n".join(markdown.lines[markdown.body_line - 1 :])
    return bool(notebook.cells) and body == "\n" + _markdown(notebook.cells) + "\n"


def _plain(metadata: dict[str, Any]) -> str:
    return json.dumps(metadata, sort_keys=True)


def _markdown(cells: Sequence[Cell]) -> str:
    """Write cells as the pairing does: two blank lines part two cells of text."""
    written = _cell(cells[0])
    for before, cell in pairwise(cells):
        written += ("\n\n\n" if before.is_text and cell.is_text else "\n\n") + _cell(cell)
    return written


def _cell(cell: Cell) -> str:
    if cell.is_text:
        return cell.source
    said = f" tags={json.dumps(cell.tags, ensure_ascii=False)}" if cell.tags else ""
    kind = "python" if cell.is_code else cell.kind
    return f"```{kind}{said}\n{cell.source}\n```"
