"""The alert of the lab, in the form in which Alertmanager sends it."""

from datetime import UTC, datetime
from typing import Any

NAME = "QueueWaitHigh"
SUMMARY = "The oldest job of the queue has waited for more than 8 s."
ABOVE_S = 8


def webhook(*, is_firing: bool) -> dict[str, Any]:
    """Return the payload of Alertmanager's webhook, version 4, without alerts if none fires."""
    labels = {"alertname": NAME, "severity": "SEV2", "service": "jobs", "environment": "lab"}
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": SUMMARY},
        "startsAt": datetime.now(UTC).isoformat(),
        "fingerprint": "5ca1ab1e0ddba11a",
    }
    return {"version": "4", "status": "firing", "alerts": [alert] if is_firing else []}
