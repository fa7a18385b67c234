"""Compare a record with what was sealed: its files, its timeline and its facts."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import RecordIntegrityError
from runbook_nb.record.facts import Record, made_by
from runbook_nb.record.proof.contents import Content, contents_of, without_copies
from runbook_nb.record.proof.envelope import Statement
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import is_testimony
from runbook_nb.timeline.folder import ENVELOPE, FACTS, TIMELINE, IncidentFolder
from runbook_nb.timeline.log import Timeline

# A folder of such a name belongs to an incident; one of another name was made by a person.
_NUMBERED: Final = re.compile(r"INC-\d+")


class Change(StrEnum):
    """How something differs from what was sealed.

    What was ``told late`` is only the testimony of an action that was on its way when it was
    closed.
    """

    ALTERED = "altered"
    ADDED = "added"
    REMOVED = "removed"
    CUT_OFF = "cut off"
    EXCHANGED = "in the place of another"
    RENAMED = "in a folder of another name"
    UNREAD = "cannot be read"
    TOLD_LATE = "told after the close"
    NOT_WITNESSED = "not what the witness holds"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing in a record that is not as it was sealed; ``path`` is within its folder."""

    change: Change
    path: str
    said: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.change}: {self.path}" + (f" ({self.said})" if self.said else "")


def compare(folder: Path, sealed: Statement) -> Iterator[Problem]:
    """Yield all that differs from what was sealed, files first."""
    yield from _place(folder, sealed)
    timeline = Timeline(IncidentFolder(folder).timeline)
    if late := _told_late(timeline, sealed):
        yield from (each for each in _files(folder, sealed) if each.path != TIMELINE)
        yield late
        return
    yield from _files(folder, sealed)
    broken = chain_problem(timeline)
    if broken:
        # A timeline that is gone or unreadable is named among the files already.
        if broken.change in (Change.ALTERED, Change.CUT_OFF):
            yield broken
        return
    yield from _story(timeline, sealed)
    yield from _facts(folder, timeline, sealed)


def chain_problem(timeline: Timeline) -> Problem | None:
    """Return where a timeline does not fit its own hashes, if it does not."""
    try:
        timeline.verify()
    except RecordIntegrityError as error:
        said = str(error).removeprefix(f"{TIMELINE}: ").rstrip(".")
        change = Change.CUT_OFF if "cut off" in said else Change.ALTERED
        return Problem(change=change, path=TIMELINE, said=said)
    except FileNotFoundError:
        return Problem(change=Change.REMOVED, path=TIMELINE)
    except OSError as error:
        return Problem(change=Change.UNREAD, path=TIMELINE, said=error.strerror or str(error))
    return None


def _place(folder: Path, sealed: Statement) -> Iterator[Problem]:
    """Hold the folder's name against the incident that was sealed in it."""
    name = folder.absolute().name
    if name != sealed.incident:
        said = f"it seals {sealed.incident}, and lies in {name}"
        change = Change.EXCHANGED if _NUMBERED.fullmatch(name) else Change.RENAMED
        yield Problem(change=change, path=ENVELOPE, said=said)


def _files(folder: Path, sealed: Statement) -> Iterator[Problem]:
    there = without_copies(contents_of(folder), of=sealed.contents)
    found = {each.path: each for each in there}
    listed = {each.path: each for each in sealed.contents}
    closed = tuple(f"{path}/" for path in found if not found[path].sha256)
    for path in sorted(found.keys() | listed.keys()):
        if path in found and not found[path].sha256:
            yield Problem(change=Change.UNREAD, path=path)
        elif found.get(path) != listed.get(path) and not path.startswith(closed):
            yield _difference(path, now=found.get(path), then=listed.get(path))


def _difference(path: str, *, now: Content | None, then: Content | None) -> Problem:
    change = Change.ALTERED if now and then else Change.ADDED if now else Change.REMOVED
    sizes = f"{then.size:,} bytes then, {now.size:,} now" if now and then else ""
    return Problem(change=change, path=path, said=sizes)


def _story(timeline: Timeline, sealed: Statement) -> Iterator[Problem]:
    """Tell a timeline that fits itself from the one that was sealed."""
    events = len(timeline)
    if events < sealed.events:
        said = f"{events} of {sealed.events} events are left"
        yield Problem(change=Change.CUT_OFF, path=TIMELINE, said=said)
    elif events > sealed.events and _head_at(timeline.path, sealed.events) == sealed.head:
        said = f"{events - sealed.events} after the {sealed.events} events that were sealed"
        yield Problem(change=Change.ADDED, path=TIMELINE, said=said)
    elif (events, timeline.head) != (sealed.events, sealed.head):
        said = "its events are not those that were sealed"
        yield Problem(change=Change.ALTERED, path=TIMELINE, said=said)


def _told_late(timeline: Timeline, sealed: Statement) -> Problem | None:
    """Return what was told after the close, where the sealed events stand and that is all."""
    events = timeline.proven()
    more = events[sealed.events :]
    closed = queries.closed(events[: sealed.events])
    if not more or closed is None or chain_problem(timeline):
        return None
    begun = queries.before(events, closed)
    if not all(is_testimony(begun, event) for event in more):
        return None
    if _head_at(timeline.path, sealed.events) != sealed.head:
        return None
    said = ", ".join(f"{getattr(event, 'title', '')!r} {event.kind}" for event in more)
    return Problem(change=Change.TOLD_LATE, path=TIMELINE, said=said)


def _head_at(path: Path, number: int) -> str:
    """Return the hash of an event by its number, in a timeline that fits its own hashes."""
    with path.open("rb") as file:
        line = next((line for place, line in enumerate(file, start=1) if place == number), b"")
    return str(json.loads(line)["hash"]) if line else ""


def _facts(folder: Path, timeline: Timeline, sealed: Statement) -> Iterator[Problem]:
    """Hold facts, timeline and seal against each other; also who has the key tells one story."""
    try:
        told: dict[str, Any] = dict(json.loads(IncidentFolder(folder).facts.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return  # named among the files already
    if told.get("sealed_by") != sealed.fingerprint:
        named = told.get("sealed_by") or "nobody"
        said = f"{FACTS} names {named} as its signer, not {sealed.fingerprint or 'nobody'}"
        yield Problem(change=Change.ALTERED, path=ENVELOPE, said=said)
    record = Record.of(timeline)
    if (told.get("made_by"), record.id) != (sealed.made_by, sealed.incident):
        said = f"it is not that of {record.id}, made by {told.get('made_by')}"
        yield Problem(change=Change.ALTERED, path=ENVELOPE, said=said)
    # Another version of the program may fold the same events into other facts.
    if sealed.made_by == made_by() and told.get("record") != record.to_json():
        said = "its facts are not those of the timeline"
        yield Problem(change=Change.ALTERED, path=FACTS, said=said)
