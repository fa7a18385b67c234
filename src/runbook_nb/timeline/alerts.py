"""Alerts as an alert manager delivers them, read into the model."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ParameterError
from runbook_nb.timeline.events import Alert

SIZE_LIMIT: Final = 20_000_000  # bytes; a payload of Alertmanager has a few thousand


def read_alerts(path: Path) -> list[Alert]:
    """Return the firing alerts of a file: an Alertmanager webhook (version 4) or one alert.

    Raises ParameterError for anything else, with the file and the reason.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            message = f"larger than {SIZE_LIMIT:,} bytes"
            raise ValueError(message)
        payload = json.loads(path.read_bytes())
        found = payload.get("alerts", [payload])
        alerts = [_alert(alert) for alert in found if alert.get("status", "firing") == "firing"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"{path} is not an alert: {error!s:.200}. Expected the JSON of an Alertmanager "
            "webhook, or of one alert with `labels.alertname`."
        )
        raise ParameterError(message) from error
    if not alerts:
        message = f"{path}: no alert in it is firing; there is nothing to respond to."
        raise ParameterError(message)
    return alerts


def _alert(payload: Mapping[str, Any]) -> Alert:
    labels = {str(name): str(value) for name, value in payload["labels"].items()}
    notes = payload.get("annotations") or {}
    starts = payload.get("startsAt")
    return Alert(
        name=labels["alertname"],
        fingerprint=str(payload.get("fingerprint") or _fingerprint(labels)),
        severity=labels.get("severity", ""),
        summary=str(notes.get("summary", "")),
        description=str(notes.get("description", "")),
        labels=labels,
        starts_at=datetime.fromisoformat(starts) if starts else None,
    )


def _fingerprint(labels: Mapping[str, str]) -> str:
    """Identify an alert by its labels, as an alert manager does."""
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]
