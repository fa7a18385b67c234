"""The history of a folder of incidents: brought up to date by what changed, then asked."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from runbook_nb.record.facts import Record, read_events
from runbook_nb.record.history.features import Past
from runbook_nb.record.history.folders import MISSING, newest_first, stamps
from runbook_nb.record.history.line import IncidentLine, line_of, unreadable
from runbook_nb.record.history.query import IncidentQuery, QueryResult, conditions_of, match_of
from runbook_nb.record.history.search_words import words_of
from runbook_nb.record.history.store import Row, Store, is_broken
from runbook_nb.timeline.folder import TIMELINE, IncidentFolder
from runbook_nb.timeline.log import Timeline

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# Lines are kept after each so many, so that a first reading that is cut off is not lost.
BATCH: Final = 1_000
_TITLE_COUNTS: Final = 4.0  # a word of the title counts as four elsewhere
_NEAR_WORDS: Final = 14
T = TypeVar("T")


def unwatched(_done: int, _total: int) -> None:
    """Watch nothing; what a progress is where nobody looks."""


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """How many incidents there are, how many were read anew, and how many are gone.

    ``unread`` names those that are new or changed and were left for the next time.
    """

    total: int
    read: int
    gone: int
    unread: frozenset[str] = frozenset()


class History:
    """Every incident of a folder as a line, read again only where its timeline changed."""

    def __init__(
        self,
        incidents: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.incidents, self._now = incidents, now
        self._store = Store.beside(incidents, environ)

    def refresh(
        self, progress: Callable[[int, int], None] = unwatched, *, at_most: int | None = None
    ) -> Refreshed:
        """Read what is new or changed and forget what is gone; tells ``progress`` done and all.

        ``at_most`` is for who cannot wait: only so many are read, the newest first. The stamp is
        taken before the timeline is read: what is written meanwhile changes it again.
        """
        return self._mended(lambda: self._refresh(progress, at_most))

    def lines(self) -> list[IncidentLine]:
        """Return all incidents, newest first."""
        return [line for line, _ in self.told()]

    def told(self) -> Iterator[tuple[IncidentLine, str]]:
        """Return all incidents with the words they are found by, newest first."""
        rows = self._store.connection.execute(
            "SELECT facts, words FROM lines ORDER BY opened DESC, folder DESC"
        )
        for facts, words in rows:
            yield _lines().validate_json(facts), words

    def search(self, wanted: IncidentQuery) -> QueryResult:
        """Return the incidents that are wanted: best first for a text, otherwise newest first."""
        return self._mended(lambda: self._search(wanted))

    def past(self, signs: Sequence[str], *, besides: str) -> list[Past]:
        """Return the incidents that have one of these signs, but not that of a folder."""
        return self._mended(lambda: self._past(signs, besides))

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    def _refresh(self, progress: Callable[[int, int], None], at_most: int | None) -> Refreshed:
        known = self._store.known()
        found = dict(stamps(self.incidents, now=self._now()))
        changed = [name for name, stamp in found.items() if not stamp or known.get(name) != stamp]
        gone = sorted(known.keys() - found.keys())
        if at_most is not None and len(changed) > at_most:
            changed = newest_first(self.incidents, changed)
        read = changed[:at_most]
        for begin in range(0, len(read), BATCH):
            rows = []
            for number, name in enumerate(read[begin : begin + BATCH], start=begin):
                progress(number, len(read))
                rows.append(_row(self.incidents / name, found[name]))
            self._store.write(rows)
        if gone:
            self._store.write((), gone=gone)
        unread = frozenset(changed[len(read) :])
        return Refreshed(total=len(found), read=len(read), gone=len(gone), unread=unread)

    def _past(self, signs: Sequence[str], besides: str) -> list[Past]:
        rows = self._store.connection.execute(_PAST, (json.dumps(signs), besides))
        return [_pasts().validate_json(past) for (past,) in rows]

    def _search(self, wanted: IncidentQuery) -> QueryResult:
        match = match_of(wanted.text)
        if wanted.text.strip() and not match:
            return QueryResult(total=0)
        where, values = conditions_of(wanted)
        source = "lines"
        if match:
            source = "spoken JOIN lines ON lines.number = spoken.rowid"
            where, values = f"spoken MATCH ? AND {where}", [match, *values]
        best = f"bm25(spoken, {_TITLE_COUNTS}, 1.0), " if match and not wanted.newest else ""
        ask = self._store.connection.execute
        total = ask(f"SELECT count(*) FROM {source} WHERE {where}", values).fetchone()[0]
        # Only numbers are sorted: a row with its facts is a thousand times as large.
        numbers = [
            number
            for (number,) in ask(
                f"SELECT lines.number FROM {source} WHERE {where} "
                f"ORDER BY {best}opened DESC, folder DESC LIMIT ?",
                [*values, wanted.limit or -1],
            )
        ]
        return QueryResult(total=total, lines=self._read(numbers), near=self._near(match, numbers))

    def _read(self, numbers: Sequence[int]) -> tuple[IncidentLine, ...]:
        ask = "SELECT facts FROM lines WHERE number = ?"
        found = (self._store.connection.execute(ask, (number,)).fetchone() for number in numbers)
        return tuple(_lines().validate_json(row[0]) for row in found if row)

    def _near(self, match: str, numbers: Sequence[int]) -> dict[str, str]:
        """Return the words around the match."""
        if not match:
            return {}
        ask = (
            f"SELECT folder, snippet(spoken, 1, '', '', '…', {_NEAR_WORDS}) FROM spoken "
            "JOIN lines ON lines.number = spoken.rowid WHERE spoken MATCH ? AND spoken.rowid = ?"
        )
        found = (self._store.connection.execute(ask, (match, each)).fetchone() for each in numbers)
        return {row[0]: " ".join(row[1].split()) for row in found if row}

    def _mended(self, ask: Callable[[], T]) -> T:
        """Ask once more on a file made anew, if the one that was there turns out to be damaged."""
        try:
            return ask()
        except sqlite3.DatabaseError as error:
            if not is_broken(error) or self._store.path is None:
                raise
        self._store.make_anew()
        self._refresh(unwatched, None)
        return ask()


_PAST: Final = """
SELECT features.past
FROM features JOIN lines USING (number)
WHERE EXISTS (SELECT 1 FROM json_each(?) WHERE instr(features.signs, char(10) || value || char(10)))
  AND lines.folder <> ?
"""


def _row(folder: Path, stamp: str) -> Row:
    line, words, past = _read(folder, stamp)
    return {
        "folder": folder.name,
        "stamp": stamp,
        "opened": line.opened_at.isoformat() if line.opened_at else "",
        "month": line.month,
        "severity": line.severity,
        "verdict": line.verdict,
        "standing": line.standing,
        "is_drill": line.is_drill,
        "runbooks": "".join(f"\n{name}" for name in line.runbooks) + "\n",
        "title": line.title,
        "facts": _lines().dump_json(line).decode(),
        "words": words,
        "signs": "".join(f"\n{sign}" for sign in past.signs) + "\n" if past else "",
        "past": _pasts().dump_json(past).decode() if past else "",
    }


def _read(folder: Path, stamp: str) -> tuple[IncidentLine, str, Past | None]:
    if stamp.startswith(MISSING):
        reason = os.strerror(int(stamp.split()[1]))
        return unreadable(folder.name, f"{TIMELINE} cannot be read: {reason}."), folder.name, None
    try:
        events, integrity = read_events(Timeline(IncidentFolder(folder).timeline))
        record = Record.of_events(events, folder=folder, integrity=integrity)
        return line_of(record, folder), words_of(record), Past.of(events)
    except Exception as error:  # noqa: BLE001 - whatever is in the file, the incident is listed
        problem = f"{TIMELINE} cannot be folded: {type(error).__name__}."
        return unreadable(folder.name, problem), folder.name, None


@cache
def _lines() -> "TypeAdapter[IncidentLine]":
    # pydantic is imported late: a reader of this package's words does not pay for it.
    from pydantic import TypeAdapter

    return TypeAdapter(IncidentLine)


@cache
def _pasts() -> "TypeAdapter[Past]":
    from pydantic import TypeAdapter

    return TypeAdapter(Past)
