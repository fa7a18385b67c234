"""The impact is figures, and each says whether it was measured."""

from dataclasses import replace
from datetime import timedelta

import pytest

from runbook_nb.record.facts import Record
from runbook_nb.record.facts.impact import Basis
from runbook_nb.timeline.events import Acted, Outcome, Verdict
from story import ACTION, ALERT, LAG, START, Story, evidence, healthy, heartbeat

RADIUS = {
    "live": 8,
    "impaired": 8,
    "unseen": 0,
    "tenants": 2,
    "tenants_affected": 2,
    "lost": 0,
    "leaks": 0,
}
WELL = {**RADIUS, "impaired": 0, "tenants_affected": 0}


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def impact(timeline):
    return {figure.name: figure for figure in Record.of(timeline).impact}


def measures(story, radius, verdict=Verdict.FAIL):
    reading = evidence("SEV1", read_at=story.at, detail={"said": "words", **radius})
    story.checks("Severity", verdict, None, expect="none", evidence=reading)


def test_a_blast_radius_is_measured_at_its_worst_and_at_its_last(story):
    """Both ends, and which event says so."""
    measures(story, RADIUS)
    measures(story, WELL, Verdict.PASS)

    figure = impact(story.timeline)["Live missions affected"]
    assert figure.value == "8 of 8 at the worst, 0 of 8 at 18:04:06Z"
    assert figure.basis is Basis.MEASURED
    assert story.timeline[figure.seq - 1].title == "Severity"


def test_a_measured_severity_may_be_worse_than_the_declared_one(story):
    """Every live mission affected is a SEV1, whatever was declared."""
    measures(story, RADIUS)

    record = Record.of(story.timeline)
    assert (record.severity, record.worst_severity) == ("SEV2", "SEV1")


def test_what_nothing_measured_is_unknown(tmp_path):
    """No figure is made up."""
    figures = impact(healthy(tmp_path / "INC-1"))

    assert {figure.basis for figure in figures.values()} == {Basis.UNKNOWN}
    assert figures["Signs of a leak"].value == "not measured"


def test_rows_of_failed_checks_only_estimate(story):
    """They name what was looked at, which is the most that can have suffered."""
    rows = [{"mission_id": name, "silent_s": 99} for name in ("a", "b", "b")]
    story.checks(LAG, Verdict.FAIL, 9, "s", evidence=evidence(9, "s", detail=rows))

    figure = impact(story.timeline)["Live missions affected"]
    assert figure.basis is Basis.ESTIMATED
    assert figure.value == "up to 2, named in the evidence of 1 failed check"


def test_how_long_it_lasted_is_measured_from_the_alerts_own_time(tmp_path):
    """Without that time it is estimated from when the alert came."""
    assert impact(heartbeat(tmp_path / "INC-1"))["Lasted"].basis is Basis.ESTIMATED

    story = Story(tmp_path / "INC-2")
    story.opens(alert=replace(ALERT, starts_at=START - timedelta(minutes=4)))
    story.tell(Acted, **ACTION, outcome=Outcome.DONE)
    story.verifies(LAG, Verdict.PASS, 1, "s")
    figure = impact(story.timeline)["Lasted"]
    assert (figure.value, figure.basis) == ("4 min 26 s", Basis.MEASURED)


def test_without_a_verified_end_nobody_knows_how_long(story):
    """It may go on."""
    alert = replace(ALERT, starts_at=START - timedelta(minutes=4))
    other = Story(story.timeline.path.parent.parent / "INC-2")
    other.opens(alert=alert)

    figure = impact(other.timeline)["Lasted"]
    assert figure.basis is Basis.UNKNOWN
    assert "no verified end within 4 min 4 s" in figure.value
