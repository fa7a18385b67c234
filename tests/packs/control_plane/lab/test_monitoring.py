"""The lab's monitoring: a source that gives no answer stops no other rule."""

import dataclasses

import httpx

from runbook_nb.packs.control_plane.lab import monitoring


def test_a_rule_whose_source_is_away_stops_no_other(lab, monkeypatch):
    """A connection that a busy server closed between two questions is no alert, and no error."""

    def away(*_asked):
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")

    rule = monitoring.RULES[0]
    rules = (
        dataclasses.replace(rule, name="Away", fires=away),
        dataclasses.replace(rule, name="Burns", fires=lambda *_asked: True),
    )
    monkeypatch.setattr(monitoring, "RULES", rules)

    assert [alert["labels"]["alertname"] for alert in monitoring.firing(lab)] == ["Burns"]
