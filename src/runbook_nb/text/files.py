"""Write files so that a crash or a full disk leaves the old one or the new one, never half."""

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Final

# What only its owner may look at: a folder, and a file in it.
PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600
Sync = Callable[[int], None]


def write_atomically(
    path: Path, text: str, *, private: bool = False, sync: Sync = os.fsync
) -> None:
    """Replace a file's text at once, synced to disk; on failure the old file stays.

    It keeps the mode that it has. A new one is as private as the umask and the folder that it
    lies in, and its owner's alone where it is ``private``.
    """
    make_folder(path.parent)
    draft = path.with_name(f".{path.name[:200]}.{secrets.token_hex(6)}")
    mode = PRIVATE_FILE if private else 0o666 & _mode_of(path.parent)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            sync(file.fileno())
        with suppress(FileNotFoundError):
            draft.chmod(_mode_of(path))
        draft.replace(path)
        sync_folder(path.parent, sync)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, as private as the one that is there already."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=_mode_of(folder.parent) & 0o777, exist_ok=True)


def sync_folder(folder: Path, sync: Sync = os.fsync) -> None:
    """Have the new name on disk too; a power cut may take it back otherwise."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


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
