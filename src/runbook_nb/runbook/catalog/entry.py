"""One line of the catalogue: a runbook that is live, not written yet, retired, or unreadable."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog.freshness import Freshness
from runbook_nb.runbook.policy import PlannedRunbook, Policy
from runbook_nb.runbook.runbook import ARCHIVED, Runbook, stray_copy


class EntryState(StrEnum):
    """What there is of a runbook."""

    LIVE = "live"
    UNWRITTEN = "not written yet"
    RETIRED = "retired"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A runbook in the catalogue; ``planned`` tells that the organisation's list has it.

    ``runbook`` is None where there is nothing to read; ``problem`` then says why.
    """

    name: str
    state: EntryState
    group: str
    title: str = ""
    scenario: str = ""
    severity: str = ""
    owner: str = ""
    escalation: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    superseded_by: str = ""
    planned: bool = False
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
            "planned": self.planned,
            "last_validated": str(self.freshness.validated or ""),
            "age_days": self.freshness.age,
            "review_days": self.freshness.period,
            "due": self.state is EntryState.LIVE and self.freshness.is_due,
            "problem": self.problem,
        }


def read_entries(folder: Path, *, policy: Policy, today: date) -> list[Entry]:
    """Return the whole catalogue, group by group: what exists, and what is planned and lacks."""
    found = [_entry(path, policy=policy, today=today) for path in sorted(folder.glob("*.ipynb"))]
    archived = sorted((folder / ARCHIVED).glob("*.ipynb"))
    live = {entry.name for entry in found}
    found += [
        _entry(path, policy=policy, today=today) for path in archived if path.stem not in live
    ]
    here = {entry.name for entry in found}
    found += [
        _unwritten(planned, policy=policy, today=today)
        for planned in policy.planned
        if planned.name not in here
    ]
    return sorted(found, key=lambda entry: _order(entry, policy))


def live(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that can be run."""
    return [entry for entry in entries if entry.state is EntryState.LIVE]


def _unwritten(planned: PlannedRunbook, *, policy: Policy, today: date) -> Entry:
    return Entry(
        name=planned.name,
        state=EntryState.UNWRITTEN,
        group=planned.group,
        scenario=planned.scenario,
        planned=True,
        freshness=Freshness.of("", period=policy.review_days, today=today),
    )


def _entry(path: Path, *, policy: Policy, today: date) -> Entry:
    """Read one runbook; one that cannot be read is shown, so that nobody misses it."""
    planned = next((known for known in policy.planned if known.name == path.stem), None)
    group = planned.group if planned else ""
    try:
        runbook = Runbook.read(path)
        problem = stray_copy(runbook)
    except (RunbookFormatError, OSError) as error:
        problem = str(error)
    if problem:
        return Entry(
            name=path.stem,
            state=EntryState.UNREADABLE,
            group=group,
            planned=planned is not None,
            freshness=Freshness.of("", period=policy.review_days, today=today),
            problem=problem,
        )
    front = runbook.front
    severity = _text(front.get("severity"))
    return Entry(
        name=path.stem,
        state=EntryState.RETIRED if path.parent.name == ARCHIVED else EntryState.LIVE,
        group=_text(front.get("group")) or group,
        title=_text(front.get("title")),
        scenario=" ".join(_text(front.get("scenario")).split()),
        severity=severity,
        owner=_text(front.get("owner")),
        escalation=_texts(front.get("escalation")),
        alerts=_texts(front.get("alerts")),
        related=_texts(front.get("related")),
        superseded_by=_text((runbook.retired or {}).get("superseded_by")),
        planned=planned is not None,
        freshness=Freshness.of(
            _text(front.get("last_validated")), period=policy.review_period(severity), today=today
        ),
        runbook=runbook,
    )


def _order(entry: Entry, policy: Policy) -> tuple[int, bool, str, int, str]:
    """Order by group, then as the policy lists them; what it does not know stands last."""
    groups, names = policy.groups, policy.planned_names
    group = groups.index(entry.group) if entry.group in groups else len(groups)
    place = names.index(entry.name) if entry.name in names else len(names)
    return group, not entry.group, entry.group, place, entry.name


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
