"""Alerts in, incidents out."""

import json
import multiprocessing
from pathlib import Path

import pytest

from runbook_nb.errors import IncidentStateError, ParameterError
from runbook_nb.redaction import Redactor
from runbook_nb.testing import Clock
from runbook_nb.timeline.alerts import read_alerts
from runbook_nb.timeline.events import Alert, Alerted, Closed, Opened
from runbook_nb.timeline.incidents import declare, find
from runbook_nb.timeline.writer import WritableTimeline

LABELS = {"alertname": "SSEHeartbeatLagHigh", "severity": "critical"}
HOSTILE = "<script>alert(1)</script>\x1b[31m\x00\u202e"


def webhook(**alert):
    return json.dumps({"version": "4", "alerts": [{"status": "firing", "labels": LABELS, **alert}]})


def declared(folder, alert, incident=None):
    return declare(
        Path(folder),
        incident=incident,
        title=alert.summary or "Trial",
        severity="SEV2",
        runbook="trial",
        environment="lab",
        by="sam",
        alert=alert,
        redactor=Redactor(),
    ).path.parent.name


def test_a_webhook_of_alertmanager_is_read(write_file):
    """Version 4, as it is sent."""
    text = webhook(
        fingerprint="abc", annotations={"summary": "Late."}, startsAt="2026-11-23T03:00:00Z"
    )
    (alert,) = read_alerts(write_file("alert.json", text))

    assert (alert.name, alert.fingerprint, alert.summary) == ("SSEHeartbeatLagHigh", "abc", "Late.")
    assert alert.starts_at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"alerts": [1]}', '{"labels": {}}', "\x00"])
def test_what_is_no_alert_is_refused_with_its_file(write_file, text):
    """Before anything is created."""
    with pytest.raises(ParameterError, match=r"alert\.json"):
        read_alerts(write_file("alert.json", text))


def test_a_resolved_alert_opens_nothing(write_file):
    """There is nothing to respond to."""
    with pytest.raises(ParameterError, match="no alert in it is firing"):
        read_alerts(write_file("alert.json", webhook(status="resolved")))


def test_the_same_alert_joins_the_open_incident(tmp_path):
    """And says that it came again."""
    alert = Alert(name="A", fingerprint="f1")
    first, second = declared(tmp_path, alert), declared(tmp_path, alert)
    other = declared(tmp_path, Alert(name="B", fingerprint="f2"))

    assert first == second != other
    assert len(find(tmp_path, first).of(Alerted)) == 1


def test_after_closing_the_same_alert_opens_a_new_incident(tmp_path):
    """A closed record stays as it is."""
    alert = Alert(name="A", fingerprint="f1")
    first = declared(tmp_path, alert)
    WritableTimeline(find(tmp_path, first).path, redactor=Redactor()).append(
        Closed(at=Clock().now(), by="sam")
    )

    assert declared(tmp_path, alert) != first
    with pytest.raises(IncidentStateError, match="was closed"):
        declared(tmp_path, alert, incident=first)


def test_one_alert_delivered_twice_at_once_is_one_incident(tmp_path):
    """Eight receivers race; one incident is opened."""
    alert = Alert(name="A", fingerprint="f1")
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        names = pool.starmap(declared, [(str(tmp_path), alert)] * 8)

    assert len(set(names)) == 1
    assert len(find(tmp_path, names[0]).of(Opened)) == 1


def test_hostile_text_in_an_alert_is_written_harmlessly(tmp_path):
    """It stays text."""
    name = declared(tmp_path, Alert(name="A", fingerprint="f", summary=HOSTILE))

    title = find(tmp_path, name).last(Opened).title
    assert "\x1b" not in title
    assert "\x00" not in title
    assert "\u202e" not in title


@pytest.mark.parametrize("incident", ["../x", "", "a/b", ".hidden", "x" * 65])
def test_an_incident_id_cannot_lead_out_of_the_folder(tmp_path, incident):
    """It names a folder."""
    with pytest.raises(ParameterError, match="cannot be an incident id"):
        declared(tmp_path, Alert(name="A", fingerprint="f"), incident=incident)
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


def test_an_unknown_incident_is_named_with_the_near_one(tmp_path):
    """A typing error at 3 AM."""
    declared(tmp_path, Alert(name="A", fingerprint="f"), incident="INC-2041")

    with pytest.raises(IncidentStateError, match="INC-2041"):
        find(tmp_path, "INC-2014")
