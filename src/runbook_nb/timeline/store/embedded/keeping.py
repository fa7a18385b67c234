"""The store of a project without one of its own: a PostgreSQL that `runbook serve` runs here."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runbook_nb.errors import DatabaseServerError, StoreUnavailableError

if TYPE_CHECKING:
    from runbook_nb.timeline.store.embedded.server import PostgresServer

# Root runs services of the machine, and nobody else may enter root's home.
_OF_ROOT: Final = Path("/var/lib")


def embedded_folder(root: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the store of the project in ``root``: outside it, as it holds secrets.

    It is below ``XDG_DATA_HOME``: https://specifications.freedesktop.org/basedir-spec.
    """
    home = Path.home() / ".local" / "share" if os.geteuid() else _OF_ROOT
    data = Path(environ.get("XDG_DATA_HOME") or home)
    digest = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:8]
    return data / "runbook" / "stores" / f"{root.name}-{digest}"


def _make(folder: Path) -> None:
    """Make a folder, and those above it, that the server's account may pass whatever the umask."""
    for part in reversed([folder, *folder.parents]):
        if not part.exists():
            part.mkdir()
            part.chmod(0o711)


def address_in(folder: Path) -> str:
    """Return the address of the store that runs in a folder, a secret.

    Raises StoreUnavailableError where none runs.
    """
    from runbook_nb.timeline.store.embedded.server import PostgresServer

    try:
        return PostgresServer(folder).dsn()
    except DatabaseServerError as error:
        raise StoreUnavailableError(f"The store is away. {error}") from error


@contextmanager
def kept(folder: Path) -> "Iterator[PostgresServer]":
    """Run the store in a folder for a while; one that outlived its service is taken over.

    Raises DatabaseServerError where it cannot be started, or where another service runs it.
    """
    from runbook_nb.timeline.store.embedded.files import locked
    from runbook_nb.timeline.store.embedded.server import PostgresServer

    _make(folder)
    server = PostgresServer(folder)

    def refuse() -> None:
        message = (
            f"Another `runbook serve` runs the store in {folder}, and would end it under this one. "
            'For several, name a PostgreSQL of your own: [store] dsn = "env:STORE_DSN"'
        )
        raise DatabaseServerError(message)

    with locked(folder / "serve.lock", on_wait=refuse):
        server.start()
        try:
            yield server
        finally:
            server.stop()
