"""Pairs: the Markdown that is reviewed and the notebook that is opened, kept equal by content.

The Markdown leads. Its header and Validation Log are written from the front matter; the notebook
is made from it, without outputs and with cell ids that depend on the text alone. An id that does
not fit its text therefore tells that somebody edited the notebook, and such an edit is not lost:
it is shown as a diff until its author says which of the two files holds.
"""

import difflib
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runbook_nb.errors import PairConflictError, RunbookFormatError
from runbook_nb.runbook.cells import PYTHON
from runbook_nb.runbook.document import Document, read_whole_notebook
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.text.files import write_atomically

HEADER = ("Scenario", "Severity", "Owner", "Last Updated", "Last Validated")
# Changes a notebook's front matter, and its cells where that is meant.
Change = Callable[[dict[str, Any], list[Any]], None]
# Behind a fence: the block is to be read and never runs.
FOR_PEOPLE = ".noeval"
LOG = ("Date", "Validator", "Environment", "Result", "Notes")


def formatted(path: Path) -> dict[Path, str]:
    """Return what both files of a pair should hold, by path; nothing is written.

    Raises RunbookFormatError.
    """
    return _both(path, _notebook_of(path))


def changed(path: Path, change: Change) -> dict[Path, str]:
    """Return both files of a pair with a change of front matter or cells; nothing is written.

    Header and log follow from the front matter. Raises RunbookFormatError.
    """
    lean_imports()
    import jupytext

    notebook = _notebook_of(path)
    try:
        change(notebook.metadata["runbook"], notebook.cells)
        text = jupytext.writes(notebook, fmt="md")
    except (ValueError, KeyError) as error:
        raise _unfit(path, error) from error
    return _both(path, jupytext.reads(text, fmt="md"))


def out_of_date(path: Path) -> list[Path]:
    """Return the files of a pair that say something else than they should.

    What an editor adds to the notebook when it saves it is no difference.
    """
    return [file for file, text in formatted(path).items() if not _says(file, text)]


def cell_id(number: int, source: str) -> str:
    """Return the id of a cell that holds this text as the so manieth of its notebook."""
    return hashlib.sha256(f"{number}\n{source}".encode()).hexdigest()[:12]


def conflict(path: Path) -> str:
    """Return how a notebook that was edited differs from its Markdown, as a diff of two texts.

    Empty when nobody edited the notebook, or when both say the same.
    """
    notebook = path.with_suffix(".ipynb")
    if not notebook.is_file() or not _edited(notebook):
        return ""
    says = formatted(path)[path].splitlines(keepends=True)
    would = _markdown_of(notebook, path).splitlines(keepends=True)
    return "".join(difflib.unified_diff(says, would, fromfile=path.name, tofile=notebook.name))


def take_notebook(path: Path) -> None:
    """Let the notebook's cells hold: write them into the Markdown, under its own front matter."""
    write_atomically(path, _markdown_of(path.with_suffix(".ipynb"), path))


def write(path: Path, *, discard: bool = False) -> list[Path]:
    """Bring both files of a pair up to date; return those that changed.

    Raises PairConflictError, and writes nothing, where an edit of the notebook would be lost;
    with ``discard`` it may be.
    """
    wanted = formatted(path)
    if not discard and (differs := conflict(path)):
        message = f"{path.with_suffix('.ipynb').name} was edited, and {path.name} says otherwise."
        raise PairConflictError(message, diff=differs)
    stale = [file for file, text in wanted.items() if not _is(file, text)]
    for file in stale:
        write_atomically(file, wanted[file])
    return stale


def _notebook_of(path: Path) -> Any:
    """Return the notebook that the Markdown makes, as the pairing reads it."""
    lean_imports()
    import jupytext

    try:
        return jupytext.reads(_for_people(path.read_text(encoding="utf-8"), path), fmt="md")
    except (OSError, ValueError, KeyError) as error:
        raise _unfit(path, error) from error


def _for_people(text: str, path: Path) -> str:
    """Mark each block of another language as one to read, so that no notebook runs it.

    Without the mark, the pairing makes a cell of it that a shell executes.
    """
    lines = text.split("\n")
    for cell in Document.parse(text, path).cells:
        if cell.is_code and cell.language not in PYTHON:
            fence = cell.line - 2
            lines[fence] = f"{lines[fence].rstrip()} {FOR_PEOPLE}"
    return "\n".join(lines)


def _both(path: Path, notebook: Any) -> dict[Path, str]:
    import jupytext
    import nbformat

    try:
        front = notebook.metadata["runbook"]
        _write_header(notebook.cells, front)
        _write_log(notebook.cells, front)
    except (ValueError, KeyError, IndexError) as error:
        raise _unfit(path, error) from error
    for number, cell in enumerate(notebook.cells):
        cell["id"] = cell_id(number, cell.source)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.nbformat_minor = 5
    text = jupytext.writes(notebook, fmt="md")
    stored = nbformat.writes(notebook, indent=1) + "\n"
    return {path: text if text.endswith("\n") else text + "\n", path.with_suffix(".ipynb"): stored}


def _is(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text


def _says(file: Path, text: str) -> bool:
    if _is(file, text) or file.suffix != ".ipynb":
        return _is(file, text)
    try:
        return Document.read(file).content == Document.parse(text, file).content
    except (RunbookFormatError, OSError):
        return False


def _unfit(path: Path, error: Exception) -> RunbookFormatError:
    message = f"{path} cannot be read as a runbook: {error!r}. Run `runbook lint {path.stem}`."
    return RunbookFormatError(message)


def _edited(notebook: Path) -> bool:
    """Tell whether a cell's id does not fit its place and text: only `runbook fmt` makes them."""
    try:
        cells = Document.read(notebook).cells
    except (RunbookFormatError, OSError):
        return False  # What is no notebook holds no edit.
    return any(cell.id != cell_id(number, cell.source) for number, cell in enumerate(cells))


def _markdown_of(notebook: Path, path: Path) -> str:
    """Return the Markdown that the notebook's cells would make, with the header of ``path``."""
    lean_imports()
    import jupytext

    held = _notebook_of(path)
    edited = read_whole_notebook(notebook)
    try:
        held.cells = edited.cells
        _write_header(held.cells, held.metadata["runbook"])
        _write_log(held.cells, held.metadata["runbook"])
    except (ValueError, KeyError, IndexError) as error:
        message = f"{notebook} is no runbook any more: {error!r}."
        raise RunbookFormatError(message) from error
    for cell in held.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return str(jupytext.writes(held, fmt="md")).rstrip("\n") + "\n"


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
