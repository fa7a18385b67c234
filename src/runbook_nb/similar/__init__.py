"""Seen before: past incidents that are like one, and what resolved them."""

from runbook_nb.similar.finding import SeenBefore, seen_before
from runbook_nb.similar.likeness import Similar, similar_to
from runbook_nb.similar.past import Past

__all__ = ["Past", "SeenBefore", "Similar", "seen_before", "similar_to"]
