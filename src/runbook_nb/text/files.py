"""Write files so that a crash or a full disk leaves the old one or the new one, never half."""

import hashlib
import os
import tempfile
from pathlib import Path
from types import ModuleType


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text at once, synced to disk; on failure the old file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


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


def code_digest(*packages: ModuleType) -> str:
    """Return the SHA-256 of the code of some packages: what it has made is as old as it is.

    Packages are named by import, so that one that moved is missed at once. Raises
    FileNotFoundError for a folder that holds no code, such as what a move left behind.
    """
    found = hashlib.sha256()
    for package in packages:
        if package.__file__ is None or not Path(package.__file__).is_file():
            message = f"{package.__name__} holds no code: {list(package.__path__)}."
            raise FileNotFoundError(message)
        for path in sorted(Path(package.__file__).parent.iterdir()):
            if path.is_file():
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()
