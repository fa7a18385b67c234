"""The archive: every incident of a folder as a static site that needs no network."""

from runbook_nb.record.site.build import Built, build
from runbook_nb.record.site.matrix import MatrixCell, keep_matrix

__all__ = ["Built", "MatrixCell", "build", "keep_matrix"]
