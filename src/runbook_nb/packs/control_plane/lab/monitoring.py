"""The lab's monitoring: alert rules read from outside, delivered as Alertmanager delivers them.

The rules know the platform's thresholds and nothing of faults. Payloads have the form of
Alertmanager's webhook, version 4.
"""

import hashlib
import time
from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.lab import Lab, LabState
from runbook_nb.packs.control_plane.lab.rules import RULES, AlertRule
from runbook_nb.packs.control_plane.lab.rules.heartbeat import BEATS, SETTLED
from runbook_nb.packs.control_plane.lab.rules.rule import sql

# Rules ask about stretches of time, which end without a signal.
POLL_S: Final = 0.1


def firing(lab: LabState) -> list[dict[str, Any]]:
    """Evaluate all rules now; return the firing alerts of a webhook payload."""
    import psycopg

    with psycopg.connect(Lab(lab.folder).dsn("runbook_reader"), autocommit=True) as connection:
        return [_alert(rule) for rule in RULES if _fires(rule, lab, connection)]


def _fires(rule: AlertRule, lab: LabState, connection: Any) -> bool:
    """Tell whether a rule fires; one whose source gives no answer now does not, until it does."""
    import httpx

    try:
        return bool(rule.fires(lab, connection))
    except httpx.HTTPError:
        return False


def wait_until_quiet(lab: LabState, *, within_s: float = 90) -> list[str]:
    """Wait until no rule fires and the agent has beaten for a while.

    Returns what is still wrong when time is up, by name.
    """
    ends = time.monotonic() + within_s
    # One question tells that the agent must beat on; the rules are thirty.
    while _unsettled(lab) or _alert_names(lab):
        if time.monotonic() > ends:
            return [*_alert_names(lab), *_unsettled(lab)]
        time.sleep(POLL_S)
    return []


def wait_for_alerts(lab: LabState, *, within_s: float = 60) -> list[dict[str, Any]]:
    """Wait until a rule fires; return the alerts, none when time is up."""
    ends = time.monotonic() + within_s
    while not (alerts := firing(lab)) and time.monotonic() < ends:
        time.sleep(POLL_S)
    return alerts


def webhook(alerts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the payload that carries these alerts."""
    return {
        "version": "4",
        "groupKey": '{}:{service="agent"}',
        "status": "firing",
        "receiver": "runbook",
        "groupLabels": {"service": "agent"},
        "commonLabels": {"service": "agent", "environment": "lab"},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1",
        "alerts": alerts,
    }


def _alert_names(lab: LabState) -> list[str]:
    return [alert["labels"]["alertname"] for alert in firing(lab)]


def _unsettled(lab: LabState) -> list[str]:
    """Name the agent while it has beaten too little since its start to be judged."""
    import psycopg

    question = BEATS.format(figure=f"count(*) >= {SETTLED}")
    with psycopg.connect(Lab(lab.folder).dsn("runbook_reader"), autocommit=True) as connection:
        settled = sql(question)(lab, connection)
    return [] if settled else ["agent has just started"]


def _alert(rule: AlertRule) -> dict[str, Any]:
    labels = {
        "alertname": rule.name,
        "severity": rule.severity,
        "service": rule.service,
        "environment": "lab",
    }
    fingerprint = hashlib.sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16]
    return {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": rule.summary},
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1/graph",
        "fingerprint": fingerprint,
    }
