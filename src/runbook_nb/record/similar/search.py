"""Look through a folder of incidents for those that were like one, newest first, up to a cap."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_nb.record.similar.features import Past
from runbook_nb.record.similar.similarity import Similar, similar_to
from runbook_nb.timeline.events import Event
from runbook_nb.timeline.folder import TIMELINE
from runbook_nb.timeline.log import Timeline

_CLOSED: Final = b'"kind":"closed"'
# Closing an incident waits for this: so many files are searched for its words, and so many of
# those that have them are read event by event.
LOOKED: Final = 2_000
READ: Final = 200


@dataclass(frozen=True, kw_only=True)
class SeenBefore:
    """The similar incidents, and how many of the known ones were looked through for them."""

    similar: tuple[Similar, ...] = ()
    looked: int = 0
    known: int = 0

    @property
    def caveat(self) -> str:
        """Say that not all were looked through; empty where they were."""
        if self.looked == self.known:
            return ""
        return f"Only the newest {self.looked:,} of {self.known:,} incidents were looked through."


def seen_before(
    folder: Path,
    events: Sequence[Event],
    *,
    drills: bool = False,
    limit: int = 5,
    at_most: int = LOOKED,
) -> SeenBefore:
    """Return what was like the incident of ``folder`` among those beside it.

    ``at_most`` is how many files are searched, the newest first. A timeline that was altered
    counts up to the first event that does not fit.
    """
    subject = Past.of(events)
    if subject is None:
        return SeenBefore()
    names = _newest_first(folder.parent, besides=folder.name)
    signs = _signs(subject)
    others: list[Past] = []
    looked = 0
    for name in names[:at_most]:
        if len(others) == READ:
            break
        looked += 1
        path = folder.parent / name / TIMELINE
        if _speaks_of(path, signs):
            past = Past.of(Timeline(path).proven())
            others += [past] if past else []
    found = similar_to(subject, others, drills=drills, limit=limit)
    return SeenBefore(similar=found, looked=looked, known=len(names))


def _newest_first(incidents: Path, *, besides: str) -> list[str]:
    return [name for _, name in sorted(_written(incidents, besides), reverse=True)]


def _written(incidents: Path, besides: str) -> Iterator[tuple[int, str]]:
    try:
        names = os.listdir(incidents)  # noqa: PTH208 - a hundred thousand names
    except OSError:
        return
    for name in names:
        if name == besides or name.startswith("."):
            continue
        try:
            yield (incidents / name / TIMELINE).stat().st_mtime_ns, name
        except OSError:
            continue


def _signs(subject: Past) -> list[bytes]:
    """Return what a file holds that could be like the incident, as it stands in a timeline."""
    said = [*subject.failed, *subject.runbooks, *([subject.alert] if subject.alert else [])]
    return [json.dumps(text, ensure_ascii=False).encode() for text in said]


def _speaks_of(path: Path, signs: Sequence[bytes]) -> bool:
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return _CLOSED in text and any(sign in text for sign in signs)
