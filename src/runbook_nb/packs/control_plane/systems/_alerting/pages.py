"""Pages of the past, as PagerDuty lists and logs them: which alert it was, and who acted."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.sight import Page, every_page

_PERSON: Final = "user_reference"
# As the action pagerduty.page titles what is declared.
_DECLARED: Final = re.compile(r"^SEV\d: (?P<component>[\w-]+)")


@dataclass(frozen=True, kw_only=True)
class PastPage:
    """One page; times are Unix seconds. An empty ``component`` is not known."""

    title: str
    alert: str
    component: str
    begins: float
    ends: float
    acted: bool
    priority: str

    @property
    def declared(self) -> bool:
        """Tell whether somebody gave it a priority: then it was an incident."""
        return bool(self.priority)


def past_pages(systems: Systems, *, since: datetime, until: datetime) -> tuple[PastPage, ...]:
    """Return the pages of a stretch of time; raises NoAnswerError where there is none at all."""
    span = {"since": since.isoformat(), "until": until.isoformat(), "limit": "100"}
    service = {"service_ids[]": systems.setting("pagerduty", "service")}
    listed = _listing(systems, "incidents", {**span, **service})
    if not listed:
        message = f"PagerDuty lists no page since {since:%Y-%m-%d}: nothing can be learned of it."
        raise NoAnswerError(message)
    log: dict[str, list[Mapping[str, Any]]] = {}
    for entry in _listing(systems, "log_entries", {**span, "include[]": "channels"}):
        log.setdefault(entry["incident"]["id"], []).append(entry)
    return tuple(_page(one, log.get(one["id"], ()), now=until) for one in listed)


def _listing(systems: Systems, name: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    def fetch(after: str | None) -> Page:
        asked = {**query, "offset": after or "0"}
        body = systems.http("pagerduty").get(f"/{name}", params=asked).raise_for_status().json()
        begins = int(after or 0) + len(body[name])
        return Page(items=body[name], after=str(begins) if body["more"] else None)

    return every_page(fetch, what=f"PagerDuty's {name}")


def _page(
    incident: Mapping[str, Any], log: Iterable[Mapping[str, Any]], *, now: datetime
) -> PastPage:
    entries = list(log)
    details: Mapping[str, str] = {}
    for entry in entries:
        if entry["type"] == "trigger_log_entry":
            details = (entry.get("channel") or {}).get("details") or {}
    priority = (incident.get("priority") or {}).get("summary", "")
    declared = _DECLARED.match(incident["title"])
    return PastPage(
        title=incident["title"],
        alert=details.get("alertname", ""),
        component=details.get("component") or (declared["component"] if declared else ""),
        begins=_seconds(incident["created_at"]),
        ends=_seconds(incident["resolved_at"]) if incident.get("resolved_at") else now.timestamp(),
        # To acknowledge is not to act: what nobody wrote on or ended by hand resolved by itself.
        acted=bool(priority) or any(_is_act(entry) for entry in entries),
        priority=priority,
    )


def _is_act(entry: Mapping[str, Any]) -> bool:
    by_person = (entry.get("agent") or {}).get("type") == _PERSON
    return by_person and entry["type"] in {"annotate_log_entry", "resolve_log_entry"}


def _seconds(written: str) -> float:
    return datetime.fromisoformat(written).astimezone(UTC).timestamp()
