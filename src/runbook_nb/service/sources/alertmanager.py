"""Alertmanager's webhook, version 4: `receivers[].webhook_configs`.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from typing import Final

from runbook_nb.service.sources.source import Source, has_token
from runbook_nb.timeline.alerts import delivery_of

ALERTMANAGER: Final = Source(name="alertmanager", genuine=has_token, read=delivery_of)
