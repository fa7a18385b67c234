"""Change the front matter of a runbook: all files of the pair at once, or none."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.lean import lean_imports
from runbook_nb.runbook.pair import formatted
from runbook_nb.text.files import write_atomically

# Changes a notebook's front matter, and its cells where that is meant.
Change = Callable[[dict[str, Any], list[Any]], None]


def changed(path: Path, change: Change) -> dict[Path, str]:
    """Return both files of a pair with a change of front matter or cells; nothing is written.

    Header and log follow from the front matter. Raises RunbookFormatError.
    """
    lean_imports()
    import jupytext

    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md")
        change(notebook.metadata["runbook"], notebook.cells)
        text = jupytext.writes(notebook, fmt="md")
    except (OSError, ValueError, KeyError) as error:
        message = f"{path} cannot be read as a runbook: {error!r}."
        raise RunbookFormatError(message) from error
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        draft.write_text(text, encoding="utf-8")
        return {path.parent / file.name: text for file, text in formatted(draft).items()}


def write_all(files: dict[Path, str]) -> None:
    """Write all files; if one cannot be written, those before it get their old text back."""
    before = {file: file.read_text(encoding="utf-8") for file in files if file.is_file()}
    written: list[Path] = []
    try:
        for file, text in files.items():
            write_atomically(file, text)
            written.append(file)
    except OSError:
        for file in written:
            if file in before:
                write_atomically(file, before[file])
            else:
                file.unlink(missing_ok=True)
        raise
