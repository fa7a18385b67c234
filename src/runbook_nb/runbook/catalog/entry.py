"""One line of the catalogue: a runbook that is live, not written yet, retired, or unreadable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog.freshness import Freshness
from runbook_nb.runbook.catalog.platform import GROUPS, KNOWN
from runbook_nb.runbook.runbook import ARCHIVED, Runbook


class State(StrEnum):
    """What there is of a runbook."""

    LIVE = "live"
    UNWRITTEN = "not written yet"
    RETIRED = "retired"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A runbook in the catalogue.

    ``runbook`` is None where there is nothing to read; ``problem`` then says why.
    """

    name: str
    state: State
    group: str
    title: str = ""
    scenario: str = ""
    severity: str = ""
    owner: str = ""
    escalation: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    superseded_by: str = ""
    freshness: Freshness
    runbook: Runbook | None = None
    problem: str = ""

    def facts(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "group": self.group,
            "title": self.title,
            "scenario": self.scenario,
            "severity": self.severity,
            "owner": self.owner,
            "escalation": list(self.escalation),
            "alerts": list(self.alerts),
            "related": list(self.related),
            "superseded_by": self.superseded_by,
            "last_validated": str(self.freshness.validated or ""),
            "age_days": self.freshness.age,
            "review_days": self.freshness.period,
            "due": self.state is State.LIVE and self.freshness.is_due,
            "problem": self.problem,
        }


def read_entries(folder: Path, *, today: date) -> list[Entry]:
    """Return the whole catalogue, group by group: what exists, and what the platform lacks."""
    found = [_entry(path, today=today) for path in sorted(folder.glob("*.ipynb"))]
    archived = sorted((folder / ARCHIVED).glob("*.ipynb"))
    live = {entry.name for entry in found}
    found += [_entry(path, today=today) for path in archived if path.stem not in live]
    here = {entry.name for entry in found}
    found += [
        Entry(
            name=known.name,
            state=State.UNWRITTEN,
            group=known.group,
            scenario=known.scenario,
            freshness=Freshness.of("", severity="", today=today),
        )
        for known in KNOWN
        if known.name not in here
    ]
    return sorted(found, key=_order)


def live(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that can be run."""
    return [entry for entry in entries if entry.state is State.LIVE]


def _entry(path: Path, *, today: date) -> Entry:
    """Read one runbook; one that cannot be read is shown, so that nobody misses it."""
    group = next((known.group for known in KNOWN if known.name == path.stem), "")
    try:
        runbook = Runbook.read(path)
    except (RunbookFormatError, OSError) as error:
        return Entry(
            name=path.stem,
            state=State.UNREADABLE,
            group=group,
            freshness=Freshness.of("", severity="", today=today),
            problem=str(error),
        )
    front = runbook.front
    severity = _text(front.get("severity"))
    return Entry(
        name=path.stem,
        state=State.RETIRED if path.parent.name == ARCHIVED else State.LIVE,
        group=_text(front.get("group")) or group,
        title=_text(front.get("title")),
        scenario=" ".join(_text(front.get("scenario")).split()),
        severity=severity,
        owner=_text(front.get("owner")),
        escalation=_texts(front.get("escalation")),
        alerts=_texts(front.get("alerts")),
        related=_texts(front.get("related")),
        superseded_by=_text((runbook.retired or {}).get("superseded_by")),
        freshness=Freshness.of(_text(front.get("last_validated")), severity=severity, today=today),
        runbook=runbook,
    )


def _order(entry: Entry) -> tuple[int, int, str]:
    """Order by group, then as the platform lists them; what it does not know stands last."""
    names = [known.name for known in KNOWN]
    group = GROUPS.index(entry.group) if entry.group in GROUPS else len(GROUPS)
    place = names.index(entry.name) if entry.name in names else len(names)
    return group, place, entry.name


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
