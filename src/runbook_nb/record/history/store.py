"""The file that keeps the history: SQLite, beside the incidents, made anew whenever in doubt."""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from runbook_nb import timeline
from runbook_nb.errors import IncidentStateError
from runbook_nb.record import facts, history
from runbook_nb.text.files import PRIVATE_FILE, code_digest
from runbook_nb.timeline.folder import IncidentsFolder

_SCHEMA: Final = Path(__file__).with_name("schema.sql")
_BROKEN: Final = {"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR"}
_WAIT_S: Final = 60.0

Row = Mapping[str, object]


class Store:
    """Lines on disk. Two processes may use it at once; whoever writes last wrote the same."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.connection = self._open()

    @classmethod
    def beside(cls, incidents: Path, environ: Mapping[str, str] = os.environ) -> "Store":
        """Open the store of a folder of incidents.

        Where that folder cannot be written, the store stands in the user's cache, and where that
        cannot be written either, in memory.
        """
        beside = IncidentsFolder(incidents).history
        if _is_writable(incidents, beside):
            return cls(beside)
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runbook"
        name = f"history-{sha256(os.fsencode(incidents.resolve())).hexdigest()[:16]}.sqlite3"
        try:
            cache.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return cls(None)
        return cls(cache / name if _is_writable(cache, cache / name) else None)

    def known(self) -> dict[str, str]:
        """Return the stamp of each incident that is kept."""
        return dict(self.connection.execute("SELECT folder, stamp FROM lines INDEXED BY by_stamp"))

    def write(self, rows: Iterable[Row], *, gone: Iterable[str] = ()) -> None:
        """Replace the lines of these incidents and drop those that are gone, all or none."""
        every = list(rows)
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(
                "DELETE FROM lines WHERE folder = ?",
                [(name,) for name in (*gone, *(row["folder"] for row in every))],
            )
            self.connection.executemany(_INSERT, every)
            known_again = [row for row in every if row["past"]]
            self.connection.executemany(_INSERT_FEATURES, known_again)
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def make_anew(self) -> None:
        """Throw the file away and begin an empty one; nothing in it cannot be read again."""
        self.close()
        self.connection = self._anew()

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError as error:
            if self.path is None or not is_broken(error):
                raise _busy(error) from error
        return self._anew()

    def _anew(self) -> sqlite3.Connection:
        if self.path:
            self.path.unlink(missing_ok=True)
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        place = str(self.path) if self.path else ":memory:"
        if self.path:
            # SQLite would make it readable by all, and it holds every title.
            self.path.touch(mode=PRIVATE_FILE)
        connection = sqlite3.connect(place, timeout=_WAIT_S, isolation_level=None)
        try:
            (layout,) = connection.execute("PRAGMA user_version").fetchone()
            if layout != _layout():
                _lay_out(connection)
            # A header can be whole where the rest is not.
            connection.execute("SELECT folder FROM lines LIMIT 1").fetchone()
            connection.execute("SELECT rowid FROM spoken LIMIT 1").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection


_INSERT: Final = """
INSERT INTO lines (
    folder, stamp, opened, month, severity, verdict, standing, is_drill, runbooks, title, facts,
    words
) VALUES (
    :folder, :stamp, :opened, :month, :severity, :verdict, :standing, :is_drill, :runbooks, :title,
    :facts, :words
)
"""

_INSERT_FEATURES: Final = """
INSERT INTO features (number, signs, past)
SELECT number, :signs, :past FROM lines WHERE folder = :folder
"""


def is_broken(error: sqlite3.DatabaseError) -> bool:
    """Tell whether the file itself is damaged, so that making it anew helps."""
    return any(str(getattr(error, "sqlite_errorname", "")).startswith(name) for name in _BROKEN)


def _lay_out(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process has made them meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    (layout,) = connection.execute("PRAGMA user_version").fetchone()
    if layout != _layout():
        names = connection.execute(
            "SELECT type, name FROM sqlite_schema WHERE name IN ('lines', 'spoken', 'features')"
        ).fetchall()
        for kind, name in names:
            connection.execute(f"DROP {kind} {name}")
        for statement in _statements():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_layout()}")
    connection.execute("COMMIT")


@cache
def _layout() -> int:
    """Return a number for the tables and for what lines hold, as SQLite keeps one: 31 bits.

    A file that other code has folded from timelines is made anew.
    """
    return int(code_digest(history, facts, timeline)[:8], 16) >> 1 or 1


def _statements() -> list[str]:
    """Return the statements of the schema; a trigger holds semicolons of its own."""
    found, rest = [], ""
    for part in _SCHEMA.read_text(encoding="utf-8").split(";"):
        rest += part + ";"
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found


def _is_writable(folder: Path, file: Path) -> bool:
    is_ours = not file.exists() or (file.is_file() and os.access(file, os.W_OK))
    return is_ours and os.access(folder, os.W_OK)


def _busy(error: sqlite3.DatabaseError) -> IncidentStateError:
    message = f"The history of incidents cannot be opened: {error}. Try again in a moment."
    return IncidentStateError(message)
