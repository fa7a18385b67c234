"""Restores: a backup and the log replayed into a second server, proven, and used.

A restore writes nothing to the platform: the copy is made from files, on a server of its own, in
the folder of the setting ``scratch``. What it proved is added there to ``restores.jsonl``.
``bring_back`` writes to the platform, in one transaction; ``restore_in_place`` has the partner
replace the whole of it.
"""

from runbook_nb.packs.control_plane.systems.restores.actions import (
    bring_back,
    remove_copy,
    restore_copy,
    restore_in_place,
)
from runbook_nb.packs.control_plane.systems.restores.probes import (
    catalogue_differences,
    copies,
    data_lost,
    last_proven,
    row_differences,
    took,
    vector_differences,
)

__all__ = [
    "bring_back",
    "catalogue_differences",
    "copies",
    "data_lost",
    "last_proven",
    "remove_copy",
    "restore_copy",
    "restore_in_place",
    "row_differences",
    "took",
    "vector_differences",
]
