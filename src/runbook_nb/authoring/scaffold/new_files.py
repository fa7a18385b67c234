"""Write a new pair whole or not at all, over nothing that is there."""

import tempfile
from pathlib import Path

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.pair import formatted


def write_new(path: Path, text: str) -> str:
    """Write a runbook's Markdown and its notebook; return the Markdown with header and log.

    Raises RunbookFormatError where one of the files exists or the folder cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        trial.write_text(text, encoding="utf-8")
        texts = {path.with_suffix(file.suffix): said for file, said in formatted(trial).items()}
    write_files(texts)
    return texts[path]


def write_files(texts: dict[Path, str]) -> None:
    """Write files that must not exist yet; on failure those already written are taken away."""
    done: list[Path] = []
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                done.append(path)
                file.write(text)
    except OSError as error:
        for path in done:
            path.unlink(missing_ok=True)
        there = isinstance(error, FileExistsError)
        said = "it exists already" if there else error.strerror
        message = f"{error.filename} cannot be written: {said}. Nothing was written."
        raise RunbookFormatError(message) from error
