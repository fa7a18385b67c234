"""Grafana's webhook contact point, whose message is that of Alertmanager with more in it.

Source: https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from typing import Final

from runbook_nb.service.sources.source import Headers, Source, has_token, is_signed
from runbook_nb.timeline.alerts import delivery_of

SIGNATURE: Final = "x-grafana-alerting-signature"
# The name is the team's to choose in Grafana; with it, the time is signed before the body.
TIMESTAMP: Final = "x-grafana-alerting-timestamp"


def _is_genuine(headers: Headers, body: bytes, secret: str) -> bool:
    if SIGNATURE not in headers:
        return has_token(headers, body, secret)
    signed = headers[TIMESTAMP].encode() + b":" + body if TIMESTAMP in headers else body
    return is_signed(headers[SIGNATURE], signed, secret)


GRAFANA: Final = Source(name="grafana", genuine=_is_genuine, read=delivery_of)
