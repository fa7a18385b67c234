"""Pairs: the Markdown that is reviewed and the notebook that is opened, kept equal by content.

The Markdown leads. Its header and Validation Log are written from the front matter; the notebook
is made from it, without outputs and with cell ids that depend on the text alone.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbook_nb.errors import RunbookFormatError
from runbook_nb.files import write_atomically
from runbook_nb.lean import lean_imports

HEADER = ("Scenario", "Severity", "Owner", "Last Updated", "Last Validated")
LOG = ("Date", "Validator", "Environment", "Result", "Notes")


def formatted(path: Path) -> dict[Path, str]:
    """Return what both files of a pair should hold, by path; nothing is written."""
    lean_imports()
    import jupytext
    import nbformat

    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md")
        front = notebook.metadata["runbook"]
        _write_header(notebook.cells, front)
        _write_log(notebook.cells, front)
    except (ValueError, KeyError) as error:
        message = f"{path} cannot be read as a runbook: {error!r}."
        raise RunbookFormatError(message) from error
    for number, cell in enumerate(notebook.cells):
        text = f"{number}\n{cell.source}"
        cell["id"] = hashlib.sha256(text.encode()).hexdigest()[:12]
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.nbformat_minor = 5
    text = jupytext.writes(notebook, fmt="md")
    stored = nbformat.writes(notebook, indent=1) + "\n"
    return {path: text if text.endswith("\n") else text + "\n", path.with_suffix(".ipynb"): stored}


def out_of_date(path: Path) -> list[Path]:
    """Return the files of a pair that differ from what they should hold."""
    return [
        file
        for file, text in formatted(path).items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]


def write(path: Path) -> list[Path]:
    """Bring both files of a pair up to date; return those that changed."""
    wanted = formatted(path)
    changed = out_of_date(path)
    for file in changed:
        write_atomically(file, wanted[file])
    return changed


def _write_header(cells: list[Any], front: Mapping[str, Any]) -> None:
    values = (
        front["scenario"],
        front["severity"],
        front["owner"],
        front["last_updated"],
        front.get("last_validated") or "never",
    )
    rows = [f"| **{name}** | {value} |" for name, value in zip(HEADER, values, strict=True)]
    title = f"# {front['title']} — Operational Procedure"
    cells[0].source = "\n".join([title, "", "| | |", "|---|---|", *rows])


def _write_log(cells: list[Any], front: Mapping[str, Any]) -> None:
    rows = [
        "| " + " | ".join(str(validation[name.lower()]) for name in LOG) + " |"
        for validation in front.get("validations", ())
    ]
    table = [f"| {' | '.join(LOG)} |", "|" + "---|" * len(LOG), *rows]
    last = cells[-1]
    before, heading, _ = last.source.partition("## Validation Log")
    if not heading:
        message = "no Validation Log at the end"
        raise ValueError(message)
    last.source = before + "\n".join([heading, "", *table])
