"""The library's search: what it finds, how fast, and how widely the index is looked through."""

from runbook_nb.packs.control_plane.systems.library_search.actions import widen
from runbook_nb.packs.control_plane.systems.library_search.probes import (
    best_score,
    breadth,
    latency_p95,
    precision,
    recall,
    tenant_results,
)

__all__ = [
    "best_score",
    "breadth",
    "latency_p95",
    "precision",
    "recall",
    "tenant_results",
    "widen",
]
