"""Alert rules of Prometheus, held against the last weeks: which tire people, which tell nothing.

Settings: ``prometheus`` (``url``), ``alertmanager`` (``url``), ``pagerduty`` (``url``, ``token``,
``service``), and ``alerting`` (``rules``: the path of the rule file, where this machine may write
it). Prometheus needs ``--web.enable-lifecycle`` to load a changed file. Alertmanager's receiver
sends ``alertname`` and ``component`` along in PagerDuty's details.
"""

from runbook_nb.packs.control_plane.systems.alert_rules.actions import (
    keep_open,
    raise_limit,
    to_ticket,
)
from runbook_nb.packs.control_plane.systems.alert_rules.probes import (
    flapping,
    ignored,
    pages_per_shift,
    tight,
    unable,
    unowned,
    untold,
)

__all__ = [
    "flapping",
    "ignored",
    "keep_open",
    "pages_per_shift",
    "raise_limit",
    "tight",
    "to_ticket",
    "unable",
    "unowned",
    "untold",
]
