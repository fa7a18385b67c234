"""Evidence and the objects that hold it: whether each still has the bytes that its row names.

A path in the database begins with the bucket: ``evidence/<mission>/<artifact>.json``. Besides the
hash of its row, an output's hash stands in the bundle of its mission, and a bundle's in the audit:
these witnesses tell whether the object is wrong or the row.
"""

from runbook_nb.packs.control_plane.systems.evidence_objects.actions import (
    correct_hashes,
    mend,
)
from runbook_nb.packs.control_plane.systems.evidence_objects.probes import (
    damaged,
    elsewhere,
    misrecorded,
    missing,
    not_uploaded,
)

__all__ = [
    "correct_hashes",
    "damaged",
    "elsewhere",
    "mend",
    "misrecorded",
    "missing",
    "not_uploaded",
]
