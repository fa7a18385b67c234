"""Files of a server's folder: written whole or not at all; secrets are readable by us alone."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook_nb.errors import DatabaseServerError

_SECRET_BYTES = 24


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def secrets_folder(folder: Path) -> Path:
    """Return the folder's own one of secrets, made private to us."""
    private = folder / "secrets"
    private.mkdir(mode=0o700, exist_ok=True)
    private.chmod(0o700)
    return private


def write_secret(folder: Path, name: str, secret: str) -> Path:
    """Keep ``secret`` as `secrets/<name>`, readable by us alone, and return its path."""
    path = secrets_folder(folder) / name
    write_whole(path, secret, mode=0o600)
    return path


def read_secret(folder: Path, name: str) -> str:
    """Read `secrets/<name>`; DatabaseServerError when there is none of that name."""
    try:
        return (folder / "secrets" / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DatabaseServerError(
            f"{folder} has no secret {name!r}: nothing was started there."
        ) from None


def ensure_secret(folder: Path, name: str) -> str:
    """Read `secrets/<name>`, made at random first if there is none."""
    path = secrets_folder(folder) / name
    if not path.exists():
        # Letters and digits alone need no quoting in a URL, in SQL or in a shell.
        write_secret(folder, name, secrets.token_hex(_SECRET_BYTES))
    return read_secret(folder, name)


@contextmanager
def locked(path: Path, *, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file ``path``; ``on_wait`` is called when another process holds it first.

    The lock goes when its holder ends, however it ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
