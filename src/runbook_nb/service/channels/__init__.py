"""Where people are told: each channel says a text once, and can be asked whether it did."""

from runbook_nb.service.channels.channel import Channel, NotToldError
from runbook_nb.service.channels.pagerduty import PagerDuty
from runbook_nb.service.channels.slack import Slack

__all__ = ["Channel", "NotToldError", "PagerDuty", "Slack"]
