"""The Google Cloud project behind Gemini: whether it is open, and its quotas."""

from runbook_nb.packs.control_plane.systems.gemini_project.probes import lowered, standing, used

__all__ = ["lowered", "standing", "used"]
