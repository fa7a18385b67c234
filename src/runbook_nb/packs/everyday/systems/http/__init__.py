"""HTTP on any named service of the environment: its status, a field of its JSON, its pace.

Settings of a service of any name: ``url``, and ``token`` where it takes one.
"""

from runbook_nb.packs.everyday.systems.http.probes import (
    header,
    json_count,
    json_value,
    latency_ms,
    status,
)

__all__ = ["header", "json_count", "json_value", "latency_ms", "status"]
