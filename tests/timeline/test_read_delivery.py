"""What an alert manager delivers: read as it is meant, or said to be not understood."""

import json
from datetime import UTC, datetime

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.timeline.alerts import LABELS_LIMIT, TEXT_LIMIT, read_delivery

LABELS = {"alertname": "QueueDepthHigh", "severity": "critical"}
ALERTMANAGER_API = {
    "labels": LABELS,
    "annotations": {},
    "fingerprint": "f1",
    "startsAt": "2026-11-25T22:50:00Z",
    "status": {"state": "active", "silencedBy": [], "inhibitedBy": []},
}
PROMETHEUS_API = {
    "status": "success",
    "data": {"alerts": [{"labels": LABELS, "state": "firing", "activeAt": "2026-11-25T22:50:00Z"}]},
}
GRAFANA = {
    "receiver": "hook",
    "status": "firing",
    "version": "1",
    "alerts": [{"status": "firing", "labels": LABELS, "fingerprint": "f1", "valueString": "[ 1 ]"}],
}
PAGERDUTY = {"event": {"event_type": "incident.triggered", "data": {"title": "Queue"}}}
OPSGENIE = {"action": "Create", "alert": {"alertId": "1", "message": "Queue"}}


def alert(**fields):
    return {"status": "firing", "labels": LABELS, "fingerprint": "f1", **fields}


@pytest.fixture
def read(write_file):
    """Read a delivery that was written to a file as JSON."""
    return lambda payload: read_delivery(write_file("alert.json", json.dumps(payload)))


@pytest.mark.parametrize(
    "payload",
    [ALERTMANAGER_API, [ALERTMANAGER_API], PROMETHEUS_API, GRAFANA, alert(), [alert()]],
    ids=["api v2", "list of api v2", "prometheus", "grafana", "one", "list"],
)
def test_every_known_shape_that_fires_is_read(read, payload):
    """None of them is an all-clear."""
    (found,) = read(payload).firing

    assert found.name == "QueueDepthHigh"
    assert found.severity == "critical"


@pytest.mark.parametrize(
    "payload",
    [PAGERDUTY, OPSGENIE, {}, [], {"alerts": []}, {"alerts": [7]}, 7, None, "x", {"labels": {}}],
)
def test_what_is_not_understood_is_said_to_be_so(read, payload):
    """A page that could not be read is no good news."""
    with pytest.raises(ParameterError) as told:
        read(payload)
    assert "firing" not in str(told.value)
    assert "alert.json" in str(told.value)


@pytest.mark.parametrize("state", ["exploding", 7, None, ["firing"], {"state": 3}])
def test_an_unknown_state_is_named_beside_the_alerts_that_fire(read, state):
    """It stops no other one."""
    delivery = read({"alerts": [alert(status=state), alert(fingerprint="f2")]})

    assert [each.fingerprint for each in delivery.firing] == ["f2"]
    assert len(delivery.problems) == 1


def test_a_broken_alert_stops_no_other_one(read):
    """Each is answered or named."""
    delivery = read({"alerts": [alert(labels=None), alert(), alert(labels={"a": "b"})]})

    assert [each.fingerprint for each in delivery.firing] == ["f1"]
    assert len(delivery.problems) == 2


def test_resolved_alerts_are_kept_apart(read):
    """They are a line, and no run."""
    delivery = read({"alerts": [alert(status="resolved"), alert(fingerprint="f2")]})

    assert [each.fingerprint for each in delivery.cleared] == ["f1"]
    assert [each.fingerprint for each in delivery.firing] == ["f2"]


def test_an_alert_that_fires_again_in_one_message_is_not_over(read):
    """The order within a message says nothing."""
    for states in (("resolved", "firing"), ("firing", "resolved")):
        delivery = read({"alerts": [alert(status=state) for state in states]})
        assert (len(delivery.firing), len(delivery.cleared)) == (1, 0)


@pytest.mark.parametrize(
    ("told", "read_as"),
    [
        ("2026-11-25T22:50:00", datetime(2026, 11, 25, 22, 50, tzinfo=UTC)),
        ("2026-11-25T23:50:00+01:00", datetime(2026, 11, 25, 22, 50, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        ("", None),
        (1764111000, None),
        ({"at": 1}, None),
    ],
)
def test_a_time_is_aware_and_in_range_or_left_out(read, told, read_as):
    """A record can be made of whatever was sent."""
    (found,) = read(alert(startsAt=told)).firing

    assert found.starts_at == read_as
    assert found.starts_at is None or found.starts_at.tzinfo is not None


def test_values_are_text_that_can_be_written_down(write_file):
    """Also numbers that JSON lacks, halves of characters, lists, and texts without an end."""
    labels = {
        "alertname": "Queue\u0000\u202eDepth",
        "n": float("nan"),
        "half": "\ud800",
        "deep": [{"a": [1, None]}],
        "long": "x" * 100_000,
        **{f"l{number}": number for number in range(500)},
    }
    text = json.dumps({"labels": labels, "annotations": ["not", "a", "map"]})
    (found,) = read_delivery(write_file("alert.json", text)).firing

    assert len(found.labels) == LABELS_LIMIT
    assert max(map(len, found.labels.values())) <= TEXT_LIMIT
    assert all(value.encode() for value in found.labels.values())
    assert "\x00" not in found.name
    assert "\u202e" not in found.name


def test_json_without_an_end_to_its_depth_is_refused(write_file):
    """It is no alert."""
    with pytest.raises(ParameterError):
        read_delivery(write_file("alert.json", "[" * 100_000))


@pytest.mark.parametrize(
    "name", ["ada@example.com", "ghp_0123456789abcdefghijABCDEFGHIJ012345", "a\nb"]
)
def test_a_fingerprint_that_would_be_masked_is_replaced_the_same_each_time(read, name):
    """Three deliveries of one trouble are one incident."""
    (first,), (again,) = (read(alert(fingerprint=name)).firing for _ in range(2))

    assert first.fingerprint == again.fingerprint
    assert name not in first.fingerprint


def test_an_alert_without_a_fingerprint_is_known_by_its_labels(read):
    """As an alert manager knows it, whatever their order."""
    turned = dict(reversed(LABELS.items()))
    (first,), (again,) = (read({"labels": labels}).firing for labels in (LABELS, turned))
    (other,) = read({"labels": {**LABELS, "pod": "7"}}).firing

    assert first.fingerprint == again.fingerprint != other.fingerprint
