"""What looks like alert fatigue, and is alerting as it should be."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.alerting.weeks import (
    DROPPED,
    HEARTBEAT,
    JOBS,
    LATENCY,
    TOOLKITS,
    Story,
)
from runbook_nb.packs.control_plane.lab.faults.alerting import flap, noise
from runbook_nb.packs.control_plane.lab.faults.alerting_hands import (
    alerting_fault,
    silence,
)

_RARE_RULE: Final = """
      - alert: BackupTooOld
        expr: backup_age_hours > 26
        labels:
          severity: page
          component: backups
        annotations:
          summary: The newest backup is older than a day.
          runbook: supabase_backup_restore
          owner: Data & Supabase

      # Rare"""


def bad_night(story: Story) -> None:
    """Let five rules page in one night, some of them twice, and each be acted on."""
    for number, subject in enumerate((HEARTBEAT, DROPPED, LATENCY, TOOLKITS, JOBS)):
        height = {HEARTBEAT: 30.0, DROPPED: 0.2, LATENCY: 3.0, TOOLKITS: 0.7, JOBS: 900.0}
        for hours in (0, 3):
            story.alert(
                subject,
                9.2 - (hours + number / 10) / 24,
                45,
                height[subject],
                after=10,
                acted=True,
                priority="P1",
            )


def burst_acted(story: Story) -> None:
    """Let an alert open and close on two nights, and somebody act each time."""
    for days in (16.6, 5.4):
        flap(story, TOOLKITS, days=days, times=7, value=0.3, acted=True)


def flaps_once(story: Story) -> None:
    """Let an alert open and close in one night only."""
    flap(story, TOOLKITS, days=16.6, times=5, value=0.13)


def little_noise(story: Story) -> None:
    """Let a rule page six times for nothing in four weeks."""
    noise(story, LATENCY, times=6, value=0.55, grows=0.01, after=10)


def rare(story: Story) -> None:
    """Let there be a rule that has never fired, and could."""
    story.usual["backup_age_hours"] = 12.0


def samples_missing(story: Story) -> None:
    """Let Prometheus have been away for three days."""
    story.missing.append((story.at(20), story.at(17)))


FAULTS: Final = (
    alerting_fault("alerts_bad_night", "One night with many true alerts, all acted on", bad_night),
    alerting_fault("alerts_burst_acted", "Bursts of one alert, each acted on", burst_acted),
    alerting_fault("alerts_flap_once", "An alert flapped in one night of four weeks", flaps_once),
    alerting_fault("alerts_little_noise", "Six pages for nothing in four weeks", little_noise),
    alerting_fault(
        "alert_rare",
        "A rule that has never fired, and could",
        rare,
        rules=(("\n      # Rare", _RARE_RULE),),
    ),
    alerting_fault(
        "silence_planned",
        "A silence of six hours for planned work",
        silences=lambda: [
            silence(
                days_ago=0.05,
                lasts=timedelta(hours=6),
                comment="the queue is moved",
                alertname="JobQueueDeep",
            )
        ],
    ),
    alerting_fault(
        "silence_ended",
        "A silence that was long, and is over",
        silences=lambda: [
            silence(
                days_ago=40,
                lasts=timedelta(days=30),
                comment="over",
                alertname="ToolkitErrorsHigh",
            )
        ],
    ),
    alerting_fault("alert_samples_missing", "Prometheus was away for three days", samples_missing),
)
