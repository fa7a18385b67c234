"""The rows of a healthy lab: four weeks of two tenants' missions, and eight that run now."""

from runbook_nb.packs.control_plane.lab.seed.fill import end_of_past, seed, seed_past, seed_present

__all__ = ["end_of_past", "seed", "seed_past", "seed_present"]
