"""PagerDuty's incidents of past weeks with their log entries, from the lab's weeks of alerting."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.alerting.weeks import FOLDER, Paged, read_weeks

SERVICE: Final = "PACPLN1"
_ACKNOWLEDGED_AFTER_S: Final = 90
_PERSON: Final = {"type": "user_reference", "id": "PUSER01", "summary": "Primary on-call"}
_SERVICE: Final = {"type": "service_reference", "id": SERVICE, "summary": "Control plane"}


def past_incidents(lab: Path) -> list[dict[str, Any]]:
    """Return the incidents of the lab's weeks, oldest first; none where no weeks are kept."""
    if not (lab / FOLDER).is_dir():
        return []
    return [_incident(number, one) for number, one in enumerate(read_weeks(lab).pages, start=1)]


def past_entries(lab: Path) -> list[dict[str, Any]]:
    """Return what was logged of them: the trigger, who acknowledged, noted, and resolved."""
    if not (lab / FOLDER).is_dir():
        return []
    pages = enumerate(read_weeks(lab).pages, start=1)
    return [entry for number, one in pages for entry in _entries(number, one)]


def _incident(number: int, page: Paged) -> dict[str, Any]:
    title = page.alert or f"SEV2: {page.component} (declared by hand)"
    return {
        "id": f"QPAST{number:05}",
        "type": "incident",
        "incident_number": number,
        "title": title,
        "summary": f"[#{number}] {title}",
        "status": "resolved",
        "urgency": "high",
        "incident_key": f"past-{number}",
        "service": {"id": SERVICE, "type": "service_reference", "summary": "Control plane"},
        "priority": {"summary": page.priority} if page.priority else None,
        "created_at": _written(page.begins),
        "resolved_at": _written(page.ends),
    }


def _entries(number: int, page: Paged) -> list[dict[str, Any]]:
    details = {"alertname": page.alert, "component": page.component}
    by_alert = {"type": "api", "details": details}
    seen = min(page.begins + _ACKNOWLEDGED_AFTER_S, page.ends)
    found = [
        _entry(number, "trigger", page.begins, person=not page.alert)
        | {"channel": by_alert if page.alert else {"type": "web_trigger"}},
        _entry(number, "acknowledge", seen, person=True),
    ]
    if page.noted:
        found.append(_entry(number, "annotate", page.ends, person=True))
    return [*found, _entry(number, "resolve", page.ends, person=not page.alert)]


def _entry(number: int, kind: str, at: float, *, person: bool) -> dict[str, Any]:
    return {
        "id": f"R{number:05}{kind[:3].upper()}",
        "type": f"{kind}_log_entry",
        "created_at": _written(at),
        "agent": _PERSON if person else _SERVICE,
        "channel": {"type": "web" if person else "api"},
        "incident": {"id": f"QPAST{number:05}", "type": "incident_reference"},
    }


def _written(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
