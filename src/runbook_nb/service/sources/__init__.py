"""Who sends alerts: how each is known to be genuine, and how its messages are read."""

from collections.abc import Mapping
from typing import Final

from runbook_nb.service.sources.alertmanager import ALERTMANAGER
from runbook_nb.service.sources.grafana import GRAFANA
from runbook_nb.service.sources.opsgenie import OPSGENIE
from runbook_nb.service.sources.pagerduty import PAGERDUTY
from runbook_nb.service.sources.source import Source

SOURCES: Final[Mapping[str, Source]] = {
    source.name: source for source in (ALERTMANAGER, GRAFANA, OPSGENIE, PAGERDUTY)
}

__all__ = ["SOURCES", "Source"]
