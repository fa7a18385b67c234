"""The archive: every incident of a folder as a static site that needs no network."""

from runbook_nb.record.site.build import Built, build

__all__ = ["Built", "build"]
