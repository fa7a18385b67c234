"""The faults of alerting in other shapes: other rules, fewer pages, one beside another."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.alerting.weeks import (
    DROPPED,
    EVIDENCE,
    HEARTBEAT,
    JOBS,
    LATENCY,
    TOOLKITS,
    Story,
)
from runbook_nb.packs.control_plane.lab.faults.alerting import (
    TIGHT_LATENCY,
    cut_off,
    flap,
    flaps,
    noise,
    pair,
    too_tight,
)
from runbook_nb.packs.control_plane.lab.faults.alerting_hands import (
    WITHOUT_END,
    alerting_fault,
    silence,
)


def flaps_twice(story: Story) -> None:
    """Let an alert open and close on two nights only."""
    for days in (16.6, 5.4):
        flap(story, TOOLKITS, days=days, times=7, value=0.13)


def flaps_of_two(story: Story) -> None:
    """Let two rules flap, on nights of their own."""
    flaps(story)
    for days in (21.7, 12.6, 6.6):
        flap(story, DROPPED, days=days, times=6, value=0.03)


def flaps_fast(story: Story) -> None:
    """Let an alert open for a minute every eight."""
    for days in (22.7, 14.6, 7.4):
        flap(story, DROPPED, days=days, times=8, value=0.03, up=4)


def tight_elsewhere(story: Story) -> None:
    """Let the lag stand a little above its limit each day."""
    noise(story, HEARTBEAT, times=22, value=2.2, grows=0.05)


def inseparable_elsewhere(story: Story) -> None:
    """Add to that an incident that was no higher."""
    tight_elsewhere(story)
    story.alert(HEARTBEAT, 17.7, 30, 2.3, acted=True, priority="P1")


def inseparable_fewer(story: Story) -> None:
    """Let a limit be crossed twelve times, once by what was real and lower than all others."""
    tight_and_thin(story)
    story.alert(LATENCY, 9.51, 40, 0.31, after=5, acted=True)


def inseparable_late(story: Story) -> None:
    """Let a real incident rise slowly: above the noise only after half an hour."""
    too_tight(story)
    story.alert(LATENCY, 14.52, 60, 0.33, after=5, acted=True, priority="P2")
    story.rise(LATENCY, 14.50, 30, 0.9)


def tight_and_thin(story: Story) -> None:
    """Let a figure stand a little above its limit twelve times."""
    noise(story, LATENCY, times=12, value=0.32, grows=0.005)


def tight_and_flaps(story: Story) -> None:
    """Let one rule be too tight, and another flap."""
    too_tight(story)
    flaps(story)


def ignored_elsewhere(story: Story) -> None:
    """Let streams be cut a little each day, and nobody do anything."""
    story.forget(DROPPED)
    noise(story, DROPPED, times=12, value=0.03, grows=0.001)


def ignored_seldom(story: Story) -> None:
    """Let the queue be deep on nine nights, and nobody do anything."""
    story.forget(JOBS)
    noise(story, JOBS, times=9, value=130.0, grows=4.0, after=10)


def ignored_and_declared(story: Story) -> None:
    """Let the queue be deep each night; during one of them people declare an incident."""
    story.forget(JOBS)
    noise(story, JOBS, times=20, value=130.0, grows=4.0, after=10)
    story.alert(LATENCY, 27.05 - 5 * 1.13, 25, 1.2, after=10, acted=True, priority="P2")


def doubled_later(story: Story) -> None:
    """Let the second rule page six minutes after the first."""
    pair(story, HEARTBEAT, DROPPED, later=6)


def doubled_seldom(story: Story) -> None:
    """Let both rules page six times."""
    story.forget(DROPPED)
    pair(story, HEARTBEAT, DROPPED, times=6)


def doubled_reversed(story: Story) -> None:
    """Let streams be cut first, and lag after it."""
    story.forget(HEARTBEAT)
    pair(story, DROPPED, HEARTBEAT, later=3)


def stops_unnoticed(story: Story) -> None:
    """Let the lag end at five seconds, and nobody notice yet."""
    story.forget(HEARTBEAT)
    for days in (21.3, 14.2, 7.7):
        story.rise(HEARTBEAT, days, 25, 5.0)


def stops_elsewhere(story: Story) -> None:
    """Let the share of failed uploads end at five in a hundred."""
    for days in (23.3, 16.2, 9.7, 4.1):
        story.rise(EVIDENCE, days, 30, 0.05)


def without_rule(story: Story) -> None:
    """Let people declare an incident of a part that no rule watches."""
    story.declare("library", 10.4, 45)


def renamed(story: Story) -> None:
    """Let nothing be known of the lag, as its figure has another name by now."""
    story.forget(HEARTBEAT)


FAULTS: Final = (
    alerting_fault("alerts_flap.two_nights", "An alert flaps on two nights", flaps_twice),
    alerting_fault("alerts_flap.two_rules", "Two alerts flap", flaps_of_two),
    alerting_fault("alerts_flap.fast", "An alert opens for a minute, again and again", flaps_fast),
    alerting_fault(
        "threshold_tight.elsewhere",
        "The heartbeat's limit is too near to the usual",
        tight_elsewhere,
        rules=(("sse_heartbeat_lag_p95_seconds > 8", "sse_heartbeat_lag_p95_seconds > 2"),),
    ),
    alerting_fault(
        "threshold_tight.thin",
        "A limit too near to the usual pages every other day",
        tight_and_thin,
        rules=(TIGHT_LATENCY,),
    ),
    alerting_fault(
        "threshold_tight.flaps",
        "One limit is too tight while another alert flaps",
        tight_and_flaps,
        rules=(TIGHT_LATENCY,),
    ),
    alerting_fault(
        "alert_ignored.elsewhere", "Nobody acts on cut streams, twelve times", ignored_elsewhere
    ),
    alerting_fault("alert_ignored.seldom", "Nobody acts on nine deep queues", ignored_seldom),
    alerting_fault(
        "alert_ignored.declared",
        "Nobody acts on an alert, and an incident was declared while it fired",
        ignored_and_declared,
    ),
    alerting_fault(
        "alerts_doubled.later", "The second page comes six minutes later", doubled_later
    ),
    alerting_fault("alerts_doubled.seldom", "Two rules page together six times", doubled_seldom),
    alerting_fault(
        "alerts_doubled.reversed", "The other of the two rules pages first", doubled_reversed
    ),
    alerting_fault(
        "alert_silenced.everything",
        "A silence without an end hides every page",
        silences=lambda: [
            silence(days_ago=3, lasts=WITHOUT_END, comment="quiet please", severity="page")
        ],
    ),
    alerting_fault(
        "alert_silenced.security",
        "A silence of two hours hides the tenants' boundary",
        silences=lambda: [
            silence(
                days_ago=0.01,
                lasts=timedelta(hours=2),
                comment="testing",
                alertname="TenantBoundaryCrossed",
            )
        ],
    ),
    alerting_fault(
        "alert_silenced.month",
        "A silence of thirty days hides the heartbeat",
        silences=lambda: [
            silence(
                days_ago=12,
                lasts=timedelta(days=30),
                comment="until the new release",
                component="streams",
            )
        ],
    ),
    alerting_fault(
        "rule_out_of_reach.renamed",
        "A rule asks for a figure that there is no more",
        renamed,
        rules=(("sse_heartbeat_lag_p95_seconds > 8", "sse_heartbeat_lag_seconds > 8"),),
    ),
    alerting_fault(
        "rule_out_of_reach.unnoticed", "A figure stops below its limit", stops_unnoticed
    ),
    alerting_fault(
        "rule_out_of_reach.elsewhere",
        "Failed uploads stop below their limit",
        stops_elsewhere,
    ),
    alerting_fault(
        "rule_out_of_reach.none",
        "People declared an incident of a part that no rule watches",
        without_rule,
    ),
    alerting_fault(
        "rule_unowned.owner",
        "A rule names its runbook and no owner",
        rules=(("          owner: Data Intelligence Team\n", ""),),
    ),
    alerting_fault(
        "rule_unowned.blank",
        "A rule names a runbook of no letters",
        rules=(("runbook: data_breach_response", 'runbook: ""'),),
    ),
    alerting_fault(
        "rule_unowned.cut_off",
        "A rule names no runbook, and another cannot fire",
        cut_off,
        rules=(("          runbook: composio_api_outage\n", ""),),
    ),
    alerting_fault(
        "threshold_inseparable.elsewhere",
        "A tight limit with two incidents as low as the noise, on another rule",
        inseparable_elsewhere,
        rules=(("sse_heartbeat_lag_p95_seconds > 8", "sse_heartbeat_lag_p95_seconds > 2"),),
    ),
    alerting_fault(
        "threshold_inseparable.fewer",
        "A tight limit, and something real that was lower than all the noise",
        inseparable_fewer,
        rules=(TIGHT_LATENCY,),
    ),
    alerting_fault(
        "threshold_inseparable.late",
        "A tight limit, and an incident that a higher one would tell half an hour later",
        inseparable_late,
        rules=(TIGHT_LATENCY,),
    ),
)
