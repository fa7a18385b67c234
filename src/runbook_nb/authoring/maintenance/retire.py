"""Retire a runbook: it moves to the archive, says so to whoever opens it, and points on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RunbookError, RunbookNotFoundError, near
from runbook_nb.runbook.catalog.coverage import answering
from runbook_nb.runbook.catalog.entry import Entry, EntryState, live
from runbook_nb.runbook.drill import FOLDER, drills_in
from runbook_nb.runbook.pair import changed
from runbook_nb.runbook.runbook import ARCHIVED
from runbook_nb.text.files import write_all

_SUFFIX: Final = " (retired)"


@dataclass(frozen=True, kw_only=True)
class Retired:
    """What was moved where, and what is left to do because it was forced."""

    name: str
    files: tuple[Path, ...]
    left: tuple[str, ...]


def retire(
    name: str,
    *,
    folder: Path,
    entries: Sequence[Entry],
    reason: str,
    by: str,
    on: date,
    superseded_by: str = "",
    force: bool = False,
) -> Retired:
    """Move a runbook and its drills to the archive with a notice in header and text.

    Its validations and dates stay: they were true. Raises RunbookNotFoundError for an unknown
    name, and RunbookError if others relate to it or its alerts would be unanswered, unless
    forced; nothing is changed then.
    """
    entry = _living(name, entries)
    if superseded_by:
        _living(superseded_by, entries)
    if superseded_by == name or not reason.strip():
        message = f"{name} is retired for a reason, and for another runbook than itself."
        raise RunbookError(message)
    left = hindrances(entry, entries, superseded_by=superseded_by)
    if left and not force:
        message = f"{name} is still needed. {' '.join(left)} Or retire it with --force."
        raise RunbookError(message)
    path = folder / f"{name}.md"
    notice = _notice(reason=reason, by=by, on=on, superseded_by=superseded_by)

    def archive(front: dict[str, Any], cells: list[Any]) -> None:
        front["title"] = f"{front['title']}{_SUFFIX}"
        front["retired"] = {
            "date": f"{on}",
            "by": by,
            "reason": reason,
            "superseded_by": superseded_by,
        }
        _say_so(cells, notice, reason=reason, superseded_by=superseded_by)

    moved = _move(path, changed(path, archive))
    return Retired(name=name, files=moved, left=left)


def hindrances(
    entry: Entry, entries: Sequence[Entry], *, superseded_by: str = ""
) -> tuple[str, ...]:
    """Say what would break without a runbook, each as what to do about it."""
    found: list[str] = []
    relating = [other.name for other in live(entries) if entry.name in other.related]
    if relating:
        instead = f" with {superseded_by}" if superseded_by else " or take it out"
        found.append(f"Replace it{instead} in `related` of {', '.join(relating)}.")
    alone = [alert for alert in entry.alerts if answering(alert, entries) == (entry.name,)]
    if alone:
        heir = superseded_by or "the runbook that answers them now"
        found.append(f"Move its alerts to {heir}: {', '.join(alone)}.")
    pointing = [
        other.name
        for other in entries
        if other.state is EntryState.RETIRED and other.superseded_by == entry.name
    ]
    if pointing:
        found.append(f"Point on from the archive, where it stands in: {', '.join(pointing)}.")
    return tuple(found)


def _move(path: Path, pair: dict[Path, str]) -> tuple[Path, ...]:
    """Write pair and drills into the archive, then take the old ones away."""
    folder = path.parent
    drills = [drill.path for drill in drills_in(folder) if drill.runbook == path.stem]
    moved = {folder / ARCHIVED / file.name: text for file, text in pair.items()}
    for drill in drills:
        moved[folder / ARCHIVED / FOLDER / drill.name] = drill.read_text(encoding="utf-8")
    if taken := [file for file in moved if file.exists()]:
        message = f"{taken[0]} exists already. Take it away first; git keeps it."
        raise RunbookError(message)
    write_all(moved)
    # The notebook goes first: alerts find it no more, whatever happens to the rest.
    for old in (*sorted(pair, key=lambda file: file.suffix != ".ipynb"), *drills):
        old.unlink()
    return tuple(moved)


def _living(name: str, entries: Sequence[Entry]) -> Entry:
    entry = next((found for found in live(entries) if found.name == name), None)
    if entry is None:
        message = f"No live runbook named {name!r}. {near(name, (e.name for e in live(entries)))}"
        raise RunbookNotFoundError(message)
    return entry


def _notice(*, reason: str, by: str, on: date, superseded_by: str) -> str:
    instead = f" Use [{superseded_by}](../{superseded_by}.md) instead." if superseded_by else ""
    return (
        f"> **Retired on {on} by {by}.** {reason}{instead}\n>\n"
        "> No alert leads here any more, and no drill proves it. Its actions may no longer fit."
    )


def _say_so(cells: list[Any], notice: str, *, reason: str, superseded_by: str) -> None:
    """Put the notice below the header, and into every run: a note right after the opening."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    opening = next(
        (
            number
            for number, cell in enumerate(cells)
            if cell.cell_type == "code" and "Incident.open(" in cell.source
        ),
        None,
    )
    if opening is not None:
        instead = f" Use {superseded_by} instead." if superseded_by else ""
        text = f"This runbook is retired: {reason}{instead}"
        source = f"incident.note(\n    {_quoted(text)}\n)"
        cells.insert(opening + 1, new_code_cell(source))
    cells.insert(1, new_markdown_cell(notice))


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)
