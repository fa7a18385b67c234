"""The impact is figures, and each says whether it was measured."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from runbook_nb.record.facts import Record
from runbook_nb.record.facts.impact import Basis
from runbook_nb.timeline.events import (
    FIGURES_LIMIT,
    Acted,
    Impact,
    ImpactFigure,
    Outcome,
    SeverityTerms,
    Terms,
    Verdict,
)
from runbook_nb.timeline.log import Timeline
from story import ACTION, ALERT, LAG, START, Story, evidence, healthy, heartbeat


def carts(count):
    """Return what another team's probe measures."""
    return Impact(
        severity="SEV1" if count == 20 else "",
        figures=(
            ImpactFigure(name="Carts stuck", value=f"{count} of 20", weight=count),
            ImpactFigure(name="Orders lost", value="0", weight=0),
        ),
    )


@pytest.fixture
def story(tmp_path):
    told = Story(tmp_path / "INC-2041")
    told.opens()
    return told


def impact(timeline):
    return {figure.name: figure for figure in Record.of(timeline).impact}


def measures(story, count, verdict=Verdict.FAIL):
    reading = evidence(count, read_at=story.at, impact=carts(count))
    story.checks("Carts move", verdict, None, expect="0", evidence=reading)


def test_a_figure_is_told_at_its_worst_and_at_its_last(story):
    """Both ends, and which event says so; a figure that never moved is told once."""
    for count, verdict in ((3, Verdict.FAIL), (20, Verdict.FAIL), (0, Verdict.PASS)):
        measures(story, count, verdict)

    figures = impact(story.timeline)
    assert figures["Carts stuck"].value == "20 of 20 at the worst, 0 of 20 at 18:04:07 UTC"
    assert figures["Carts stuck"].basis is Basis.MEASURED
    assert story.timeline[figures["Carts stuck"].seq - 1].evidence.answer == 20
    assert figures["Orders lost"].value == "0"
    assert set(figures) == {"Lasted", "Carts stuck", "Orders lost"}


def test_a_measured_severity_may_be_worse_than_the_declared_one(story):
    """Every cart is stuck: a SEV1, whatever was declared."""
    measures(story, 20)

    record = Record.of(story.timeline)
    assert (record.severity, record.worst_severity) == ("SEV2", "SEV1")


def test_severities_rank_as_the_organisation_ordered_them(tmp_path):
    """Its names say nothing of which is worse; one it does not have is not compared."""
    severities = tuple(SeverityTerms(name=name) for name in ("Red", "Amber", "Green"))
    story = Story(tmp_path / "INC-1")
    story.opens(severity="Green", terms=Terms(severities=severities))
    for severity in ("Amber", "SEV1", "Green"):
        known = replace(carts(3), severity=severity)
        story.checks(LAG, Verdict.FAIL, 3, evidence=evidence(3, impact=known))

    assert Record.of(story.timeline).worst_severity == "Amber"


def test_what_nothing_measured_is_one_unknown(tmp_path):
    """No figure is made up, and no other team's figures are named."""
    figures = impact(healthy(tmp_path / "INC-1"))

    assert {figure.basis for figure in figures.values()} == {Basis.UNKNOWN}
    assert figures.keys() == {"Lasted", "Affected"}
    assert figures["Affected"].value == "not measured"


@pytest.mark.parametrize("value", ["1,234,567 of 89,000,000", "555-0100 of 999-0100", "12.5 %"])
def test_the_timeline_gives_figures_back_as_they_were_measured(story, value):
    """Large counts look like nobody's number, and twenty figures are not cut."""
    known = Impact(
        severity="P1",
        figures=tuple(
            ImpactFigure(name=f"Figure {number}", value=value, weight=float(2**60))
            for number in range(FIGURES_LIMIT)
        ),
    )
    story.checks(LAG, Verdict.FAIL, 9, "s", evidence=evidence(9, "s", impact=known))

    assert Timeline(story.timeline.path)[-1].evidence.impact == known


@pytest.mark.parametrize("weight", [math.nan, math.inf])
def test_a_weight_that_does_not_compare_is_refused(weight):
    """The worst of them could not be told."""
    with pytest.raises(ValueError, match="finite"):
        ImpactFigure(name="Carts stuck", value="3 of 20", weight=weight)


def test_what_a_timeline_could_not_give_back_is_refused():
    """A number is no words, and a cut list would read as if it were all."""
    with pytest.raises(TypeError, match="text"):
        ImpactFigure(name="Carts stuck", value=3, weight=3)
    figure = ImpactFigure(name="Carts stuck", value="3", weight=3)
    with pytest.raises(ValueError, match="at most 20"):
        Impact(figures=(figure,) * (FIGURES_LIMIT + 1))


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
