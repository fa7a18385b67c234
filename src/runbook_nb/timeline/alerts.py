"""Alerts as alert managers deliver them, read into the model.

Read are the webhook of Alertmanager (version 4, which Grafana sends too), the alerts of its API
(version 2), those of the API of Prometheus, a list of alerts, and one alert alone. Anything else
is said to be not understood: it is no all-clear.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ParameterError
from runbook_nb.redaction import Redactor
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline.events import Alert

SIZE_LIMIT: Final = 20_000_000  # bytes; a payload of Alertmanager has a few thousand
NAME_LIMIT: Final = 200  # characters of a name, a label's name or a fingerprint
TEXT_LIMIT: Final = 4_000  # characters of a text; an annotation is a few sentences
LABELS_LIMIT: Final = 100  # of one alert
# How each sender says that an alert fires, waits, or is over.
FIRING: Final = frozenset({"firing", "active", "suppressed", "unprocessed", "alerting"})
WAITING: Final = frozenset({"pending", "inactive", "nodata", "normal"})
CLEARED: Final = frozenset({"resolved", "ok"})
EXPECTED: Final = (
    "Expected the webhook of Alertmanager or Grafana, the alerts of Alertmanager's or Prometheus's "
    "API, or one alert with `labels.alertname`."
)


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one message of an alert manager holds.

    ``problems`` name each alert in it that could not be read, in a sentence.
    """

    firing: tuple[Alert, ...] = ()
    cleared: tuple[Alert, ...] = ()
    problems: tuple[str, ...] = field(default=())


def read_alerts(path: Path) -> list[Alert]:
    """Return the firing alerts of a file; raises ParameterError where there is none."""
    return list(firing_of(read_delivery(path), path))


def firing_of(delivery: Delivery, path: Path) -> tuple[Alert, ...]:
    """Return the alerts of a file that fire; raises ParameterError where there is none."""
    if not delivery.firing:
        message = f"{path}: no alert in it is firing; there is nothing to respond to."
        raise ParameterError(message)
    return delivery.firing


def read_delivery(path: Path) -> Delivery:
    """Return what a file of an alert manager holds.

    Raises ParameterError, with the file and the reason, where nothing in it was understood.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            message = f"it is larger than {SIZE_LIMIT:,} bytes"
            raise ValueError(message)
        delivery = delivery_of(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else one_line(error, 200)
        message = f"{path} is not an alert: {reason or type(error).__name__}. {EXPECTED}"
        raise ParameterError(message) from error
    if delivery.problems and not (delivery.firing or delivery.cleared):
        message = f"{path} was not understood: {delivery.problems[0]} {EXPECTED}"
        raise ParameterError(message)
    return delivery


def delivery_of(payload: object) -> Delivery:
    """Return what a parsed message of an alert manager holds; raises ValueError where no alert."""
    return _sorted(_listed(payload))


def _listed(payload: object) -> Sequence[object]:
    """Return the alerts of a payload, whatever they are wrapped in."""
    if isinstance(payload, Mapping) and isinstance(payload.get("data"), Mapping):
        payload = payload["data"]
    if isinstance(payload, Mapping):
        payload = payload.get("alerts", [payload])
    if not isinstance(payload, list) or not payload:
        message = "it holds no alert"
        raise ValueError(message)
    return payload


def _sorted(found: Iterable[object]) -> Delivery:
    firing, cleared, problems = dict[str, Alert](), dict[str, Alert](), list[str]()
    for number, payload in enumerate(found, start=1):
        try:
            alert, state = _alert(payload), _state(payload)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            problems.append(f"Alert {number} cannot be read: {one_line(missing, 200)}.")
            continue
        if state in CLEARED:
            cleared[alert.fingerprint] = alert
        elif state in FIRING:
            firing[alert.fingerprint] = alert
        elif state not in WAITING:
            said = one_line(state, 40)
            problems.append(f"Alert {number}, {alert.name}: nobody knows the state {said!r}.")
    return Delivery(
        firing=tuple(firing.values()),
        # An alert that fires again within one message is not over.
        cleared=tuple(alert for key, alert in cleared.items() if key not in firing),
        problems=tuple(problems),
    )


def _state(payload: Any) -> str:
    """Return the state as the sender says it; an alert that says none fires."""
    told = payload.get("status", payload.get("state", "firing"))
    if isinstance(told, Mapping):
        told = told.get("state", "firing")
    if not isinstance(told, str):
        message = f"its status is no text but {type(told).__name__}"
        raise TypeError(message)
    # Grafana adds why: `Normal (NoData)`.
    return told.partition(" ")[0].casefold()


def _alert(payload: Any) -> Alert:
    if not isinstance(payload, Mapping) or not isinstance(payload.get("labels"), Mapping):
        message = "it has no labels"
        raise TypeError(message)
    labels = {
        _name(name): _text(value) for name, value in list(payload["labels"].items())[:LABELS_LIMIT]
    }
    name = labels.get("alertname", "")
    if not name.strip():
        message = "its labels have no alertname"
        raise ValueError(message)
    told = payload.get("annotations")
    notes = told if isinstance(told, Mapping) else {}
    return Alert(
        name=_name(name),
        fingerprint=_fingerprint(payload.get("fingerprint"), labels),
        severity=_name(labels.get("severity", "")),
        summary=_text(notes.get("summary", "")),
        description=_text(notes.get("description", "")),
        labels=labels,
        starts_at=_moment(payload.get("startsAt", payload.get("activeAt"))),
    )


def _fingerprint(told: object, labels: Mapping[str, str]) -> str:
    """Return what identifies an alert: as its sender says, or by its labels.

    One that looks like a secret or an address would be masked wherever it is written, and then be
    no name any more: its hash stands in its place, the same at each delivery.
    """
    if told is None or told == "":
        return _digest(json.dumps(sorted(labels.items())))
    text = str(told)
    is_plain = len(text) <= NAME_LIMIT and Redactor().mask(text) == text == one_line(text)
    return text if is_plain else _digest(text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _name(value: object) -> str:
    return one_line(value, NAME_LIMIT)


def _text(value: object) -> str:
    """Return a value as text that can be written down: cut, and no number that JSON lacks."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text.encode("utf-8", "replace").decode()[:TEXT_LIMIT]


def _moment(told: object) -> datetime | None:
    """Return a time as UTC; one without a zone is read as UTC, and one that is none is left out.

    Alert managers write the year 1 for a time that they do not know.
    """
    if not isinstance(told, str):
        return None
    try:
        moment = datetime.fromisoformat(told)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        found = aware.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if 1970 <= found.year < 9999 else None  # noqa: PLR2004 - what a clock can show
