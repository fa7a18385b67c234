"""The library's vectors: whether each entry has the one of its text, and how it gets it."""

from runbook_nb.packs.control_plane.systems.embeddings.actions import re_embed
from runbook_nb.packs.control_plane.systems.embeddings.probes import (
    answers,
    foreign,
    missing,
    shared,
    unfit,
    unusable,
)

__all__ = ["answers", "foreign", "missing", "re_embed", "shared", "unfit", "unusable"]
