"""Build the archive: bring the history up to date, prove and copy records, write the pages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from runbook_nb.errors import IncidentStateError
from runbook_nb.record.history import History, IncidentLine
from runbook_nb.record.history.history import unwatched
from runbook_nb.record.site.copies import RECORDS, copy_record, copy_stamp, remove_tree
from runbook_nb.record.site.matrix import Matrix, kept_matrix
from runbook_nb.record.site.pages import (
    INDEX,
    MATRIX,
    METRICS,
    book_page,
    index_page,
    matrix_page,
    metrics_page,
)
from runbook_nb.record.site.proofs import Proof, folder_stamp, keys_stamp, proof_of
from runbook_nb.record.site.rows import Row, lookup, row_of
from runbook_nb.record.site.runbook_stats import PAGES, books_of
from runbook_nb.record.site.state import RecordStamp, SiteBuild, held, read_state, write_state
from runbook_nb.text.files import write_atomically

Progress = Callable[[int, int], None]
_NEVER: Final = RecordStamp(stamp="", copied="", proof=Proof())


@dataclass(frozen=True, kw_only=True)
class Built:
    """A built archive: its index, what was touched, and the incidents with something wrong."""

    index: Path
    incidents: int
    records: tuple[str, ...]
    pages: tuple[str, ...]
    removed: tuple[str, ...]
    wrong: dict[str, tuple[str, ...]]


def build(
    incidents: Path, to: Path, *, reading: Progress = unwatched, proving: Progress = unwatched
) -> Built:
    """Build or renew the archive of a folder of incidents in ``to``; only what changed is touched.

    Raises IncidentStateError, before anything is written, where ``to`` is no place for it.
    """
    _refuse(incidents, to)
    with held(to):
        return _built(incidents, to, read_state(to), reading=reading, proving=proving)


def _built(
    incidents: Path, to: Path, before: SiteBuild, *, reading: Progress, proving: Progress
) -> Built:
    told = _told(incidents, reading)
    lines = [line for line, _ in told]
    now = SiteBuild(keys=keys_stamp(), records={})
    for number, line in enumerate(lines):
        proving(number, len(lines))
        known = before.records.get(line.folder, _NEVER) if before.keys == now.keys else _NEVER
        now.records[line.folder] = _kept(incidents, to, line, known=known)
    rows = [row_of(line, now.records[line.folder].proof) for line in lines]
    matrix = kept_matrix(incidents)
    pages = _write_pages(to, rows, words=[words for _, words in told], matrix=matrix)
    removed = _prune(to, keep={line.folder for line in lines}, pages=pages)
    write_state(to, now)
    changed = (name for name, kept in now.records.items() if kept != before.records.get(name))
    return Built(
        index=to / INDEX,
        incidents=len(lines),
        records=tuple(changed),
        pages=tuple(name for name, is_new in pages.items() if is_new),
        removed=removed,
        wrong={row.line.folder: row.problems for row in rows if row.problems},
    )


def _told(incidents: Path, reading: Progress) -> list[tuple[IncidentLine, str]]:
    """Return every incident with its words, up to date."""
    history = History(incidents)
    try:
        history.refresh(reading)
        return list(history.told())
    finally:
        history.close()


def _kept(incidents: Path, to: Path, line: IncidentLine, *, known: RecordStamp) -> RecordStamp:
    """Prove and copy a record, unless neither it nor its copy changed since."""
    folder, copy = incidents / line.folder, to / RECORDS / line.folder
    stamp = folder_stamp(folder, line)
    if known.stamp == stamp and known.copied == copy_stamp(copy):
        return known
    proof = proof_of(folder, line)
    copy_record(folder, copy, proof)
    return RecordStamp(stamp=stamp, copied=copy_stamp(copy), proof=proof)


def _write_pages(
    to: Path, rows: Sequence[Row], *, words: Sequence[str], matrix: Matrix | None
) -> dict[str, bool]:
    """Write the pages that differ from those that are there; return all, and which were new."""
    books = books_of([row.line for row in rows])
    pages = {
        INDEX: index_page(rows, lookup=lookup(rows, words), books=books),
        METRICS: metrics_page([row.line for row in rows]),
        MATRIX: matrix_page(matrix),
    }
    for book in books:
        own = [row for row in rows if book.name in row.line.runbooks]
        pages[book.page] = book_page(book, own)
    return {name: _write(to / name, html) for name, html in pages.items()}


def _write(path: Path, html: str) -> bool:
    whole = html.encode("utf-8", "replace")
    if path.is_file() and path.read_bytes() == whole:
        return False
    write_atomically(path, html)
    return True


def _prune(to: Path, *, keep: set[str], pages: dict[str, bool]) -> tuple[str, ...]:
    """Remove what an incident or a runbook has left that is not there any more."""
    found = chain((to / RECORDS).glob("*"), (to / PAGES).glob("*"))
    gone = [
        path
        for path in found
        if not (path.parent.name == RECORDS and path.name in keep)
        and path.relative_to(to).as_posix() not in pages
    ]
    for path in gone:
        remove_tree(path)
    return tuple(sorted(path.relative_to(to).as_posix() for path in gone))


def _refuse(incidents: Path, to: Path) -> None:
    """Refuse a place where there is nothing to build from, or that would mix both."""
    if not incidents.is_dir():
        message = f"There are no incidents: {incidents} is no folder. Name it with --incidents."
        raise IncidentStateError(message)
    inside, outside = to.resolve(), incidents.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        message = (
            f"--to {to}: the archive must not lie in the folder of incidents, nor around it: its "
            f"files would count as theirs. Choose another place, such as {outside}-archive."
        )
        raise IncidentStateError(message)
