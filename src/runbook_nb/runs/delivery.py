"""Answer what an alert manager delivers: every alert in it is run, noted, or named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.errors import RunbookError
from runbook_nb.probes.environment import Environment
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.alerts import Delivery
from runbook_nb.timeline.events import Alert
from runbook_nb.timeline.incidents import clear


@dataclass(frozen=True, kw_only=True)
class AlertGroup:
    """The alerts of one delivery that one runbook answers; they are one incident."""

    runbook: Runbook
    alerts: tuple[Alert, ...]


@dataclass(frozen=True, kw_only=True)
class SortedDelivery:
    """Which runbooks answer a delivery, and in a sentence each what none answers."""

    groups: tuple[AlertGroup, ...]
    unanswered: tuple[str, ...]


def sort_delivery(delivery: Delivery, *, runbook: Runbook | None = None) -> SortedDelivery:
    """Find the runbook of each firing alert, or take the one that is named for all of them.

    Nothing is run where no alert fires.

    An alert that no runbook answers is named, and stops no other one.
    """
    if runbook is not None and delivery.firing:
        named = AlertGroup(runbook=runbook, alerts=delivery.firing)
        return SortedDelivery(groups=(named,), unanswered=delivery.problems)
    found: dict[str, list[Alert]] = {}
    books: dict[str, Runbook] = {}
    unanswered = list(delivery.problems)
    for alert in delivery.firing:
        try:
            book = Runbook.for_alert(alert)
        except RunbookError as error:
            unanswered.append(str(error))
            continue
        books[book.name] = book
        found.setdefault(book.name, []).append(alert)
    groups = (
        AlertGroup(runbook=books[name], alerts=tuple(alerts)) for name, alerts in found.items()
    )
    return SortedDelivery(groups=tuple(groups), unanswered=tuple(unanswered))


def note_cleared(
    alerts: Sequence[Alert],
    *,
    incidents: Path,
    parameters: Mapping[str, str],
    by: str,
    say: Callable[[str], None],
) -> None:
    """Note each alert that is over in its open incident, and say where; nothing is run for it."""
    for alert in alerts:
        try:
            known = note_one_cleared(alert, incidents=incidents, parameters=parameters, by=by)
        except RunbookError as error:
            say(f"{Redactor().mask(alert.name)} is resolved; nobody answers it: {error}")
            continue
        where = f"noted in {known}" if known else "it has no open incident"
        say(f"{alert.name} is resolved: {where}.")


def note_one_cleared(
    alert: Alert, *, incidents: Path, parameters: Mapping[str, str], by: str
) -> str | None:
    """Note an alert that is over in its open incident, and return which; None where it has none.

    Raises RunbookNotFoundError where no runbook answers it, and SettingMissingError.
    """
    book = Runbook.for_alert(alert)
    place = Environment.load(book.environment(parameters))
    redactor = place.redactor(allowed=book.contacts)
    return clear(incidents, environment=place.name, alert=alert, by=by, redactor=redactor)
