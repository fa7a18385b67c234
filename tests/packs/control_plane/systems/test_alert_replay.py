"""Alerts replayed from samples: when they fire, what is real, and which change loses nothing."""

from dataclasses import replace

import pytest

from runbook_nb.packs.control_plane.systems._alerting import findings, proposals
from runbook_nb.packs.control_plane.systems._alerting.pages import PastPage
from runbook_nb.packs.control_plane.systems._alerting.past import Past
from runbook_nb.packs.control_plane.systems._alerting.replay import episodes
from runbook_nb.packs.control_plane.systems._alerting.rules import PagingRule

MINUTE = 60.0
DAY = 86_400.0
# A midnight in UTC, so that a day of the weeks is a day.
START = 20_000 * DAY
RULE = PagingRule(
    name="Slow",
    query="latency > 0.3",
    hold_s=0,
    keep_s=0,
    labels={"severity": "page", "component": "platform"},
    annotations={},
)


def stretch(begins: float, minutes: int, value: float) -> list[tuple[float, float]]:
    """Return samples a minute apart at which the condition holds."""
    return [(begins + MINUTE * number, value) for number in range(minutes)]


def times(*, rule: PagingRule = RULE, samples: list[tuple[float, float]]) -> list[tuple]:
    return [
        ((each.begins - START) / MINUTE, (each.ends - START) / MINUTE)
        for each in episodes(rule, samples)
    ]


def real(begins: float, minutes: float, *, priority: str = "P2", component: str = "platform"):
    return PastPage(
        title="it was real",
        alert="",
        component=component,
        begins=begins,
        ends=begins + minutes * MINUTE,
        acted=True,
        priority=priority,
    )


def past(samples, *pages, rule: PagingRule = RULE) -> Past:
    return Past(
        rules=(rule,),
        true={rule.name: (samples,)},
        kept={rule.name: 1},
        pages=pages,
        inhibited=(),
    )


def test_an_alert_fires_once_its_condition_has_held():
    """Shorter ones stay pending; it resolves at the first sample at which it does not hold."""
    samples = [*stretch(START, 5, 1), *stretch(START + 20 * MINUTE, 10, 1)]
    assert times(rule=replace(RULE, hold_s=300), samples=samples) == [(25, 30)]


def test_an_alert_that_is_kept_firing_bridges_its_gaps():
    """The next stretch needs no waiting while the alert is open."""
    samples = [*stretch(START, 5, 1), *stretch(START + 12 * MINUTE, 2, 1)]
    assert times(rule=replace(RULE, keep_s=600), samples=samples) == [(0, 24)]
    assert times(samples=samples) == [(0, 5), (12, 14)]


def noisy(times_: int) -> list[tuple[float, float]]:
    return [
        sample
        for number in range(times_)
        for sample in stretch(START + number * DAY, 10, 0.32 + number / 1000)
    ]


def test_a_limit_moves_between_noise_and_what_was_real():
    """All that nobody acted on is spared, and the real one is told as early as before."""
    at = START + 20.5 * DAY
    (proposal,) = proposals.higher(past([*noisy(12), *stretch(at, 30, 0.9)], real(at, 30)))
    assert proposal.value == "latency > 0.473"
    assert (proposal.pages_before, proposal.pages_after, proposal.lost) == (13, 1, ())


def test_a_limit_that_would_lose_an_incident_stays():
    """The real one was lower than the noise."""
    at = START + 20.5 * DAY
    (proposal,) = proposals.higher(past([*noisy(12), *stretch(at, 30, 0.31)], real(at, 30)))
    assert proposal.declined
    assert proposal.lost[0]["told"] == "never"


def test_a_limit_that_would_tell_an_incident_late_stays():
    """It crept up for half an hour before it stood out."""
    at = START + 20.5 * DAY
    creeping = [*stretch(at, 30, 0.315), *stretch(at + 30 * MINUTE, 30, 0.9)]
    (proposal,) = proposals.higher(past([*noisy(12), *creeping], real(at, 60)))
    assert proposal.lost[0]["told"] == "30 min later"
    assert proposal.declined


def flaps(*days: float) -> list[tuple[float, float]]:
    return [
        sample
        for day in days
        for number in range(6)
        for sample in stretch(START + day * DAY + number * 12 * MINUTE, 4, 0.4)
    ]


def test_a_flapping_alert_is_kept_open_as_shortly_as_ends_it():
    """Ten minutes bridge gaps of eight."""
    (proposal,) = proposals.steadier(past(flaps(2.5, 9.5)))
    assert (proposal.field, proposal.value) == ("keep_firing_for", "10m")
    assert (proposal.pages_before, proposal.pages_after) == (12, 2)


def test_an_open_alert_tells_nothing_new():
    """An incident an hour into the flapping would find the alert open already: nothing is done."""
    at = START + 20.5 * DAY
    hidden = [*flaps(2.5, 9.5, 20.5), *stretch(at + 75 * MINUTE, 20, 0.9)]
    (proposal,) = proposals.steadier(past(hidden, real(at + 75 * MINUTE, 20)))
    assert proposal.declined
    assert proposal.lost


def test_an_ignored_rule_stays_a_page_if_an_incident_was_declared_while_it_fired():
    """Whatever component was named, it may have been the first sign."""
    samples = noisy(12)
    assert not proposals.quieter(past(samples))[0].declined
    (proposal,) = proposals.quieter(past(samples, real(START + 3 * DAY, 30, component="billing")))
    assert proposal.declined


@pytest.mark.parametrize("group", ["data", "security"])
def test_what_watches_data_or_security_is_never_made_quieter(group):
    """However often it pages for nothing."""
    rule = replace(RULE, labels={**RULE.labels, "class": group})
    (ignored,) = proposals.quieter(past(noisy(20), rule=rule))
    at = START + 22.5 * DAY
    samples = [*noisy(20), *stretch(at, 30, 0.9)]
    (tight,) = proposals.higher(past(samples, real(at, 30), rule=rule))
    assert "data or security" in ignored.declined
    assert "data or security" in tight.declined


def test_one_bad_night_is_no_flapping_rule():
    """Once is chance, also where midnight falls into it."""
    assert findings.flapping_rules(past(flaps(2.5))) == {}
    assert findings.flapping_rules(past(flaps(2.98))) == {}
    assert findings.flapping_rules(past(flaps(2.5, 9.5))) == {"Slow": 2}
