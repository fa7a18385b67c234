"""Faults of alerting: what wakes people for nothing, and what wakes nobody when it should."""

from typing import Final

from runbook_nb.packs.control_plane.lab.alerting.weeks import (
    DROPPED,
    HEARTBEAT,
    JOBS,
    LATENCY,
    TOOLKITS,
    Story,
    Subject,
)
from runbook_nb.packs.control_plane.lab.faults.alerting_hands import (
    WITHOUT_END,
    alerting_fault,
    silence,
)

# The limit as somebody set it after a bad week, and never back.
TIGHT_LATENCY: Final = (
    "expr: api_latency_p95_seconds > 0.5\n        for: 10m",
    "expr: api_latency_p95_seconds > 0.3\n        for: 5m",
)
NO_RUNBOOK: Final = (
    "          runbook: incident_response\n          owner: Operations\n\n      # Rare",
    "\n      # Rare",
)


def flap(
    story: Story,
    subject: Subject,
    *,
    days: float,
    times: int,
    value: float,
    up: float = 6,
    acted: bool = False,
) -> None:
    """Let a figure go up and down for hours: so many minutes above, as many below."""
    for number in range(times):
        begins = days - number * 2 * up / 1440
        story.alert(subject, begins, up, value, after=up - 1, acted=acted)


def noise(
    story: Story, subject: Subject, *, times: int, value: float, grows: float, after: float = 5
) -> None:
    """Let a figure cross its limit once a day, each time a little higher; nobody acts."""
    for number in range(times):
        story.alert(subject, 27.05 - number * 1.13, 14, value + number * grows, after=after)


def flaps(story: Story) -> None:
    """Let an hour and a half of ups and downs pass on four nights."""
    for days in (24.7, 18.4, 10.3, 3.2):
        flap(story, TOOLKITS, days=days, times=7, value=0.13)


def too_tight(story: Story) -> None:
    """Let a figure stand a little above its limit each day, which nobody minds."""
    noise(story, LATENCY, times=22, value=0.32, grows=0.005)


def inseparable(story: Story) -> None:
    """Add to that two real incidents no higher than the noise."""
    too_tight(story)
    story.alert(LATENCY, 20.51, 40, 0.33, after=5, acted=True, priority="P2")
    story.alert(LATENCY, 12.52, 35, 0.35, after=5, acted=True)


def never_acted(story: Story) -> None:
    """Let the queue be deep each night and empty itself; nobody ever does anything."""
    story.forget(JOBS)
    noise(story, JOBS, times=20, value=130.0, grows=4.0, after=10)


def pair(
    story: Story, first: Subject, second: Subject, *, times: int = 7, later: float = 1
) -> None:
    """Let two figures of one cause rise together, the second some minutes later."""
    height = {HEARTBEAT: 12.0, DROPPED: 0.05}
    for number in range(times):
        days = 25.4 - number * 3.3
        story.alert(first, days, 20, height[first] * (1 + number / 10), acted=True)
        story.alert(second, days - later / 1440, 18, height[second] * (1 + number / 10))


def twice(story: Story) -> None:
    """Let streams be cut each time they lag, and both rules page."""
    pair(story, HEARTBEAT, DROPPED)


def hidden(story: Story) -> None:
    """Let toolkits fail while a silence hides their rule, and customers tell it."""
    story.rise(TOOLKITS, 9.4, 55, 0.5)
    story.declare("composio", 9.38, 50)


def cut_off(story: Story) -> None:
    """Let the lag end at five seconds, whatever it is; people tell the incident."""
    story.forget(HEARTBEAT)
    for days in (21.3, 14.2, 7.7, 2.9):
        story.rise(HEARTBEAT, days, 25, 5.0)
    story.declare("streams", 14.19, 30)


FAULTS: Final = (
    alerting_fault("alerts_flap", "An alert opens and closes all night, on four nights", flaps),
    alerting_fault(
        "threshold_tight",
        "A limit too near to the usual pages every day, and mostly for nothing",
        too_tight,
        rules=(TIGHT_LATENCY,),
    ),
    alerting_fault(
        "threshold_inseparable",
        "A limit pages for nothing, and two real incidents were no higher than the noise",
        inseparable,
        rules=(TIGHT_LATENCY,),
    ),
    alerting_fault(
        "alert_ignored", "An alert pages every night, and nobody ever acts on it", never_acted
    ),
    alerting_fault("alerts_doubled", "Two rules page for one cause, time and again", twice),
    alerting_fault(
        "alert_silenced",
        "A silence without an end hid a real incident",
        hidden,
        silences=lambda: [
            silence(
                days_ago=20,
                lasts=WITHOUT_END,
                comment="noisy during the migration",
                alertname="ToolkitErrorsHigh",
            )
        ],
    ),
    alerting_fault(
        "rule_out_of_reach",
        "A rule asks for more than its figure can ever show, and people told the incident",
        cut_off,
    ),
    alerting_fault(
        "rule_unowned", "A rule that pages has neither runbook nor owner", rules=(NO_RUNBOOK,)
    ),
)
