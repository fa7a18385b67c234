"""Messages as the vendors document them: genuine ones are read, forged ones are not."""

import base64
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_nb.service.sources import SOURCES

PAYLOADS = Path(__file__).parent / "payloads"
SECRET = "correct horse battery"
BODY = b'{"alerts": "\xc3\xa4"}'


def payload(source, **changes):
    read = json.loads((PAYLOADS / f"{source}.json").read_text())
    return {**read, **changes}


def signed(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def basic(secret):
    return "Basic " + base64.b64encode(f"runbook:{secret}".encode()).decode()


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_a_recorded_message_fires_the_alert_that_it_names(source):
    """Four vendors, one alert."""
    (alert,) = SOURCES[source].read(payload(source)).firing

    assert alert.name == "SSEHeartbeatLagHigh"
    assert alert.fingerprint
    assert alert.starts_at.isoformat()[:16] in {"2026-11-26T03:01", "2026-11-26T03:02"}
    assert alert.summary


def test_what_is_resolved_in_a_group_is_over_and_the_rest_fires():
    """Alertmanager sends both in one message."""
    found = SOURCES["alertmanager"].read(payload("alertmanager"))
    assert [alert.name for alert in found.cleared] == ["QueueDepthHigh"]


@pytest.mark.parametrize("action", ["Close", "Delete"])
def test_a_closed_alert_of_opsgenie_is_over(action):
    """By its alias, which is the same as when it began."""
    fired = SOURCES["opsgenie"].read(payload("opsgenie")).firing[0]
    found = SOURCES["opsgenie"].read(payload("opsgenie", action=action))
    assert (found.firing, found.cleared[0].fingerprint) == ((), fired.fingerprint)


@pytest.mark.parametrize("action", ["Acknowledge", "AddNote", "Escalate", "UnAcknowledge"])
def test_what_people_do_with_an_alert_of_opsgenie_begins_nothing(action):
    """Nor is it a problem."""
    found = SOURCES["opsgenie"].read(payload("opsgenie", action=action))
    assert (found.firing, found.cleared, found.problems) == ((), (), ())


def test_an_incident_of_pagerduty_ends_by_the_key_it_began_with():
    """Triggered, acknowledged, resolved, reopened."""
    message = payload("pagerduty")

    def read(kind):
        return SOURCES["pagerduty"].read({"event": {**message["event"], "event_type": kind}})

    began = read("incident.triggered").firing[0]
    assert read("incident.acknowledged") == read("pagey.ping") == read("incident.annotated")
    assert not read("incident.acknowledged").firing
    assert read("incident.resolved").cleared[0].fingerprint == began.fingerprint
    assert read("incident.reopened").firing[0].fingerprint == began.fingerprint
    assert (began.severity, began.labels["service"]) == ("P1", "Agent")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("[FIRING:2] (Alpha prod warning)", "Alpha"),
        ("[RESOLVED] Alpha agent", "Alpha"),
        ("Alpha", "Alpha"),
        ("The queue is long", "The queue is long"),
        ("[draft] words", "[draft] words"),
    ],
)
def test_the_name_of_an_alert_stands_in_its_title(title, name):
    """As Alertmanager writes it, or the title itself."""
    (alert,) = SOURCES["opsgenie"].read({"action": "Create", "alert": {"message": title}}).firing
    assert alert.name == name


def test_a_label_says_the_name_before_the_title():
    """Alertmanager hands its labels on as details."""
    alert = {"message": "[FIRING:1] Alpha", "details": {"alertname": "Beta"}}
    assert SOURCES["opsgenie"].read({"action": "Create", "alert": alert}).firing[0].name == "Beta"


@pytest.mark.parametrize("source", ["alertmanager", "grafana", "opsgenie"])
def test_a_token_is_a_bearer_or_a_password(source):
    """Compared whole; an empty secret is none."""
    genuine = SOURCES[source].genuine
    assert genuine({"authorization": f"Bearer {SECRET}"}, BODY, SECRET)
    assert genuine({"authorization": basic(SECRET)}, BODY, SECRET)
    for wrong in (
        {},
        {"authorization": SECRET},
        {"authorization": f"Bearer {SECRET}x"},
        {"authorization": "Bearer "},
        {"authorization": "Basic ###"},
        {"authorization": basic("other")},
        {"authorization": "Bearer \u00e4"},
    ):
        assert not genuine(wrong, BODY, SECRET)
    assert not genuine({"authorization": "Bearer "}, BODY, "")


def test_pagerduty_signs_the_raw_body_and_with_two_keys_while_one_is_changed():
    """Any of the signatures may be ours."""
    genuine = SOURCES["pagerduty"].genuine
    right = f"v1={signed(BODY)}"
    assert genuine({"x-pagerduty-signature": right}, BODY, SECRET)
    assert genuine({"x-pagerduty-signature": f"v1={signed(BODY, 'old')},{right}"}, BODY, SECRET)
    for wrong in ("", "v1=", signed(BODY), f"v2={signed(BODY)}", f"v1={signed(BODY, 'old')}"):
        assert not genuine({"x-pagerduty-signature": wrong}, BODY, SECRET)
    assert not genuine({"x-pagerduty-signature": right}, BODY + b" ", SECRET)
    assert not genuine({"x-pagerduty-signature": f"v1={signed(BODY, '')}"}, BODY, "")
    assert not genuine({"authorization": f"Bearer {SECRET}"}, BODY, SECRET)


def test_grafana_signs_the_body_or_its_time_and_the_body():
    """A signature that is there must be right, whatever token comes with it."""
    genuine = SOURCES["grafana"].genuine
    at = "1795662145"
    timed = {
        "x-grafana-alerting-signature": signed(at.encode() + b":" + BODY),
        "x-grafana-alerting-timestamp": at,
    }
    assert genuine({"x-grafana-alerting-signature": signed(BODY)}, BODY, SECRET)
    assert genuine(timed, BODY, SECRET)
    assert not genuine({**timed, "x-grafana-alerting-timestamp": "1795662146"}, BODY, SECRET)
    wrong = {"x-grafana-alerting-signature": "0", "authorization": f"Bearer {SECRET}"}
    assert not genuine(wrong, BODY, SECRET)


KEYS = ["alerts", "alert", "event", "data", "action", "labels", "event_type", "status", "details"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "alerts",
                    "alert",
                    "event",
                    "data",
                    "action",
                    "labels",
                    "event_type",
                    "status",
                    "details",
                ]
            )
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("source", sorted(SOURCES))
@settings(max_examples=100, deadline=None)
@given(message=JSON)
def test_any_message_is_read_or_said_to_be_not_understood(source, message):
    """Nothing else comes out of it."""
    try:
        found = SOURCES[source].read(message)
    except (ValueError, TypeError):
        return
    assert all(alert.name.strip() for alert in (*found.firing, *found.cleared))
