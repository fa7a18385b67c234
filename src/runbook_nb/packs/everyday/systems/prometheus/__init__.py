"""Prometheus and what speaks its HTTP API: one value now, or over a window; how many series.

Settings: ``url`` (a path such as ``/prometheus`` may be part of it), ``token`` where it takes one.
"""

from runbook_nb.packs.everyday.systems.prometheus.probes import (
    range_avg,
    range_last,
    range_max,
    range_min,
    series_count,
    value,
)

__all__ = ["range_avg", "range_last", "range_max", "range_min", "series_count", "value"]
