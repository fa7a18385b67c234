"""A quick proof that Markdown and notebook are one, without the notebook libraries.

It proves only what needs no judgement: the notebook, written out as Markdown, is the file to the
letter. Everything else is left to the exact comparison of the pairs.
"""

import json
from itertools import pairwise
from typing import Any

from runbook_nb.authoring.lint.page import Page
from runbook_nb.runbook.pair import cell_id
from runbook_nb.runbook.steps import source_of


def is_twin(page: Page) -> bool:
    """Tell whether the notebook certainly holds what the Markdown says; outputs left out."""
    try:
        notebook = json.loads(page.path.with_suffix(".ipynb").read_text(encoding="utf-8"))
        return _metadata(notebook["metadata"]) == _metadata(page.metadata) and _same(notebook, page)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _same(notebook: dict[str, Any], page: Page) -> bool:
    cells = notebook["cells"]
    body = "\n".join(page.lines[page.body_line - 1 :])
    return _identified(cells) and body == "\n" + _markdown(cells) + "\n"


def _metadata(metadata: Any) -> Any:
    return json.dumps(metadata, sort_keys=True)


def _identified(cells: list[dict[str, Any]]) -> bool:
    """Tell whether each cell has the id that its place and text give it."""
    return all(
        cell["id"] == cell_id(number, source_of(cell)) and set(cell["metadata"]) <= {"tags"}
        for number, cell in enumerate(cells)
    )


def _markdown(cells: list[dict[str, Any]]) -> str:
    """Write cells as the pairing does: two blank lines part two cells of text."""
    written = _cell(cells[0])
    for before, cell in pairwise(cells):
        both_text = before["cell_type"] == cell["cell_type"] == "markdown"
        written += ("\n\n\n" if both_text else "\n\n") + _cell(cell)
    return written


def _cell(cell: dict[str, Any]) -> str:
    source = source_of(cell)
    if cell["cell_type"] == "markdown":
        return source
    tags = cell["metadata"].get("tags")
    said = f" tags={json.dumps(tags, ensure_ascii=False)}" if tags else ""
    return f"```python{said}\n{source}\n```"
