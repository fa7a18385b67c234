"""Owners and escalation against the contacts file, and alerts that nobody answers."""

from datetime import date

import pytest

from runbook_nb.errors import ParameterError
from runbook_nb.runbook.catalog import coverage, review_owners
from runbook_nb.runbook.catalog.alert_rules import read_alert_rules
from runbook_nb.runbook.catalog.coverage import alert_summaries
from runbook_nb.runbook.catalog.owners import OwnerStanding
from runbook_nb.runbook.contacts import read_contacts

TODAY = date(2026, 11, 23)
CONTACTS = """
reviewed = 2026-11-01
[[owner]]
name = "Runtime Steward"
[[owner]]
name = "Operations"
until = 2026-11-22
[[owner]]
name = "Release Manager"
reviewed = 2026-01-01
[[address]]
to = "ops-oncall@company.com"
"""


@pytest.fixture
def standings(shelf, entries):
    """Return what is said of each owner and address."""

    def read(text: str) -> dict[tuple[str, str], OwnerStanding]:
        (shelf / "contacts.toml").write_text(text, encoding="utf-8")
        found = review_owners(entries(), read_contacts(shelf), review_days=90, today=TODAY)
        return {(finding.runbook, finding.name): finding.standing for finding in found}

    return read


def test_each_owner_of_a_line_is_held_against_the_file(standings):
    """Fine, gone, not confirmed for long, and never heard of."""
    found = standings(CONTACTS)

    assert found["heartbeat_failure_recovery", "Runtime Steward"] is OwnerStanding.FINE
    assert found["heartbeat_failure_recovery", "ops-oncall@company.com"] is OwnerStanding.FINE
    assert found["rollback_procedure", "Operations"] is OwnerStanding.STALE
    assert found["rollback_procedure", "Release Manager"] is OwnerStanding.STALE
    assert found["supabase_backup_restore", "Nobody We Know"] is OwnerStanding.UNKNOWN


def test_nobody_named_is_missing(standings, put):
    """Not unknown: there is no name to look for."""
    put("rollback_procedure", owner="", escalation=[])

    found = standings(CONTACTS)

    assert found["rollback_procedure", ""] is OwnerStanding.MISSING


def test_contacts_that_nobody_ever_confirmed_are_stale(standings):
    """A file does not vouch for itself."""
    found = standings(CONTACTS.replace("reviewed = 2026-11-01\n", ""))

    assert found["heartbeat_failure_recovery", "Runtime Steward"] is OwnerStanding.STALE


@pytest.mark.parametrize("text", ["[[owner]]\n", "owner = 3", "[[", 'reviewed = "soon"'])
def test_a_broken_contacts_file_is_one_clear_error(shelf, text):
    """With its path."""
    (shelf / "contacts.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ParameterError, match=r"contacts\.toml"):
        read_contacts(shelf)


def test_an_alert_without_a_live_runbook_is_a_gap(entries, put):
    """A retired runbook's alert, and one of the monitoring."""
    put("old_one", archived=True, alerts=["OldAlert"])
    put("another", alerts=["StreamStalled"])

    lines = {line.alert: line for line in coverage(entries(), {"mine": ["Mine"]})}

    assert lines["ReleaseErrorsHigh"].is_covered
    assert lines["OldAlert"].known_from == ("old_one (retired)",)
    assert not lines["OldAlert"].is_covered
    assert lines["Mine"].answered_by == ()
    assert not lines["StreamStalled"].is_covered, "two that answer are as bad as none"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alerts.txt", "# ours\nA\nB  # the second\n\nA\n"),
        ("alerts.json", '["A", "B"]'),
        ("rules.yml", "groups:\n- rules:\n  - alert: A\n    expr: up\n  - alert: 'B'\n"),
    ],
)
def test_alerts_are_read_from_what_teams_have(write_file, name, text):
    """A list, JSON, or Prometheus rules."""
    assert [rule.name for rule in read_alert_rules(write_file(name, text))] == ["A", "B"]


@pytest.mark.parametrize("text", ["", "# nothing", "{}"])
def test_what_is_no_list_of_alerts_is_refused(write_file, text):
    """Rather than covered by nothing."""
    with pytest.raises(ParameterError, match=r"alerts\.txt"):
        read_alert_rules(write_file("alerts.txt", text))


def test_the_labs_rules_are_known_with_their_text():
    """So that search and coverage hold for the lab."""
    assert "SSEHeartbeatLagHigh" in alert_summaries()
