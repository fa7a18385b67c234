"""The index of the library's vectors: whether it can be used, and how it is built anew."""

from runbook_nb.packs.control_plane.systems.vector_index.actions import rebuild, replace
from runbook_nb.packs.control_plane.systems.vector_index.probes import left_over, state

__all__ = ["left_over", "rebuild", "replace", "state"]
