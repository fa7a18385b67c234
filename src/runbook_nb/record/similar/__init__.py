"""Seen before: past incidents that are like one, and what resolved them."""

from runbook_nb.record.similar.features import Past
from runbook_nb.record.similar.search import SeenBefore, seen_before
from runbook_nb.record.similar.similarity import Similar, similar_to

__all__ = ["Past", "SeenBefore", "Similar", "seen_before", "similar_to"]
