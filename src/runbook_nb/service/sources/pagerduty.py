"""PagerDuty's webhook, version 3: one event of one incident a message.

Source: https://developer.pagerduty.com/docs/webhooks-overview, and verifying-signatures there
"""

from collections.abc import Mapping
from typing import Any, Final

from runbook_nb.service.sources.source import Headers, Source, is_signed, name_in, part_of
from runbook_nb.timeline.alerts import Delivery, delivery_of

SIGNATURE: Final = "x-pagerduty-signature"
INCIDENT_LABEL: Final = "pagerduty_incident"  # of an alert: the id that notes are added by
_VERSION: Final = "v1="
_STATES: Final = {
    "incident.triggered": "firing",
    "incident.reopened": "firing",
    "incident.resolved": "resolved",
}


def _is_genuine(headers: Headers, body: bytes, secret: str) -> bool:
    """Tell whether one of the signatures is ours; while a key is changed there are several."""
    signatures = [each.strip() for each in headers.get(SIGNATURE, "").split(",")]
    return any(
        is_signed(each.removeprefix(_VERSION), body, secret)
        for each in signatures
        if each.startswith(_VERSION)
    )


def _read(message: object) -> Delivery:
    event = part_of(message, "event")
    kind = event.get("event_type")
    if not isinstance(kind, str):
        text = "its event has no 'event_type'"
        raise TypeError(text)
    if kind not in _STATES:
        return Delivery()
    incident = part_of(event, "data")
    title = str(incident.get("title", ""))
    return delivery_of(
        {
            "status": _STATES[kind],
            "labels": {
                "alertname": name_in(title),
                "severity": _summary(incident, "priority") or incident.get("urgency", ""),
                "service": _summary(incident, "service"),
                "url": incident.get("html_url") or "",
                INCIDENT_LABEL: str(incident.get("id") or ""),
            },
            "annotations": {"summary": title},
            "fingerprint": incident.get("incident_key") or incident.get("id"),
            "startsAt": incident.get("created_at"),
        }
    )


def _summary(incident: Mapping[str, Any], name: str) -> str:
    found = incident.get(name)
    return str(found.get("summary") or "") if isinstance(found, Mapping) else ""


PAGERDUTY: Final = Source(name="pagerduty", genuine=_is_genuine, read=_read)
