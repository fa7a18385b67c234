"""Opsgenie's outgoing webhook: one action on one alert a message.

It signs nothing: the secret is an Authorization header that the integration adds.
Source: https://support.atlassian.com/opsgenie/docs/integrate-opsgenie-with-webhook/
"""

from datetime import UTC, datetime
from typing import Final

from runbook_nb.service.sources.source import Source, has_token, name_in, part_of
from runbook_nb.timeline.alerts import Delivery, delivery_of

_STATES: Final = {"Create": "firing", "Close": "resolved", "Delete": "resolved"}


def _read(message: object) -> Delivery:
    alert = part_of(message, "alert")
    action = message.get("action") if isinstance(message, dict) else None
    if not isinstance(action, str):
        text = "it has no 'action'"
        raise TypeError(text)
    if action not in _STATES:
        return Delivery()
    told = alert.get("details")
    details = told if isinstance(told, dict) else {}
    title = str(alert.get("message", ""))
    labels = {
        "alertname": name_in(title),
        "severity": alert.get("priority", ""),
        **{name: alert[name] for name in ("entity", "tinyId") if alert.get(name)},
        **details,
    }
    return delivery_of(
        {
            "status": _STATES[action],
            "labels": labels,
            "annotations": {"summary": title, "description": alert.get("description", "")},
            "fingerprint": alert.get("alias") or alert.get("alertId"),
            "startsAt": _moment(alert.get("createdAt")),
        }
    )


def _moment(milliseconds: object) -> str | None:
    """Return a time of Opsgenie, milliseconds since 1970, as ISO 8601."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return None


OPSGENIE: Final = Source(name="opsgenie", genuine=has_token, read=_read)
