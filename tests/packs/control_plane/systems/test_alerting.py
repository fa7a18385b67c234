"""Alert rules, routes and silences on the real lab: found, changed in their files, taken back."""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import httpx
import pytest
import yaml

from runbook_nb.errors import ActionError, NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.lab.faults import FAULTS
from runbook_nb.packs.control_plane.systems import alert_routes, alert_rules, alert_silences
from runbook_nb.packs.control_plane.systems._alerting import rule_file
from runbook_nb.text.durations import hours

WEEKS = hours(672)
WEEK = hours(168)


@pytest.fixture
def injected(lab, request):
    """A fault of alerting; its heal puts everything back."""
    FAULTS[request.param].inject(lab)
    yield lab
    FAULTS[request.param].heal(lab)


def fault(name):
    return pytest.mark.parametrize("injected", [name], indirect=True)


def rules_of(lab) -> dict[str, dict]:
    text = (lab.folder / "alerting" / "rules.yml").read_text()
    return {one["alert"]: one for group in yaml.safe_load(text)["groups"] for one in group["rules"]}


CHANGES = {
    "alerts_flap": (
        alert_rules.keep_open(window=WEEKS),
        alert_rules.flapping(window=WEEKS),
        lambda lab: rules_of(lab)["ToolkitErrorsHigh"]["keep_firing_for"] == "10m",
    ),
    "threshold_tight": (
        alert_rules.raise_limit(window=WEEKS),
        alert_rules.tight(window=WEEKS),
        lambda lab: rules_of(lab)["ApiLatencyHigh"]["expr"] == "api_latency_p95_seconds > 0.544",
    ),
    "alert_ignored": (
        alert_rules.to_ticket(window=WEEKS),
        alert_rules.ignored(window=WEEKS),
        lambda lab: rules_of(lab)["JobQueueDeep"]["labels"]["severity"] == "ticket",
    ),
    "alerts_doubled": (
        alert_routes.inhibit(window=WEEKS),
        alert_routes.duplicates(window=WEEKS),
        lambda lab: "StreamsDropped" in (lab.folder / "alerting" / "alertmanager.yml").read_text(),
    ),
    "alert_silenced": (
        alert_silences.end(longest=WEEK),
        alert_silences.lasting(longest=WEEK),
        lambda lab: (lab.folder / "alerting" / "silences.json").is_file(),
    ),
}


@pytest.mark.parametrize(
    ("injected", "change"),
    [
        pytest.param(name, change, marks=pytest.mark.holds(change[0].name), id=name)
        for name, change in CHANGES.items()
    ],
    indirect=["injected"],
)
def test_a_change_is_rehearsed_done_seen_and_taken_back(injected, hands, change):
    """The check fails before it, passes after it, and fails again once it is undone."""
    action, check, written = change
    assert hands.rehearse(action)
    assert hands.value(check) == 1

    done = hands.do(action)
    assert written(injected)
    assert hands.value(check) == 0

    hands.undo(action, done)
    assert hands.value(check) == 1


@pytest.mark.parametrize(
    ("injected", "action", "why"),
    [
        ("threshold_inseparable", alert_rules.raise_limit(window=WEEKS), "No limit parts"),
        ("threshold_inseparable.late", alert_rules.raise_limit(window=WEEKS), "No limit parts"),
        ("alert_ignored.declared", alert_rules.to_ticket(window=WEEKS), "incident was declared"),
    ],
    indirect=["injected"],
)
def test_what_would_lose_an_incident_is_not_done(injected, hands, action, why):
    """The reason is named, neither rehearsal nor action goes on, and the rules stay."""
    before = rules_of(injected)
    with pytest.raises(NothingDoneError, match=why):
        hands.rehearse(action)
    with pytest.raises(NothingDoneError, match=why):
        hands.do(action)
    assert rules_of(injected) == before


@fault("threshold_tight")
def test_a_file_that_somebody_changed_meanwhile_is_not_put_back(injected, hands):
    """Else the undo would undo theirs as well."""
    action = alert_rules.raise_limit(window=WEEKS)
    done = hands.do(action)
    file = Path(done["file"])
    file.write_text(file.read_text() + "# a colleague's line\n")
    with pytest.raises(ActionError, match="changed after this action"):
        hands.undo(action, done)


@fault("threshold_tight")
def test_an_edit_that_nobody_has_loaded_is_not_loaded_along(injected, hands):
    """It was neither reviewed nor replayed."""
    file = injected.folder / "alerting" / "rules.yml"
    file.write_text(file.read_text().replace("job_queue_depth > 100", "job_queue_depth > 9000"))
    with pytest.raises(NothingDoneError, match="JobQueueDeep"):
        hands.do(alert_rules.raise_limit(window=WEEKS))


def test_rules_with_a_gap_in_their_samples_are_not_judged(lab, hands):
    """Quiet and blind look the same."""
    FAULTS["alert_samples_missing"].inject(lab)
    try:
        with pytest.raises(NoAnswerError, match="blind"):
            hands.value(alert_rules.flapping(window=WEEKS))
    finally:
        FAULTS["alert_samples_missing"].heal(lab)


RULES = """\
groups:
  - name: one
    rules:
      - alert: First
        expr: up == 0
        labels: {severity: page}
      # said of the second
      - alert: Second
        expr: depth > 5  # as agreed
        for: 5m
        labels:
          severity: page
"""


def test_one_field_is_changed_in_its_own_line():
    """Comments and all other rules stay as they were written."""
    changed = rule_file.with_field(RULES, alert="Second", field="for", value="10m")
    assert rule_file.difference(RULES, changed)[-4:] == [
        "-        for: 5m",
        "+        for: 10m",
        "         labels:",
        "           severity: page",
    ]
    added = rule_file.with_field(RULES, alert="Second", field="keep_firing_for", value="10m")
    assert "        keep_firing_for: 10m\n        for: 5m" in added


@pytest.mark.parametrize(
    ("alert", "field"), [("First", "severity"), ("Third", "for")], ids=["flow style", "unknown"]
)
def test_a_file_written_otherwise_is_left_to_a_person(alert, field):
    """What cannot be changed safely is not changed."""
    with pytest.raises(NothingDoneError, match="by hand"):
        rule_file.with_field(RULES, alert=alert, field=field, value="ticket")


def test_a_file_whose_server_gives_no_answer_is_put_back(tmp_path):
    """Nobody knows whether it was loaded; what lies there is what would be loaded next."""
    path = tmp_path / "rules.yml"
    path.write_text("groups: []\n")
    refused = httpx.ConnectError("connection refused")
    silent = SimpleNamespace(http=lambda _name: SimpleNamespace(request=Mock(side_effect=refused)))

    with pytest.raises(ActionError, match=r"gave no answer.*look at its rules"):
        rule_file.put(silent, "prometheus", path, before="groups: []\n", after="groups: [a]\n")

    assert path.read_text() == "groups: []\n"
