"""A loss so large that the whole project would be restored in place."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.backups_rows import delete_missions, put_back
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.state import LabState

_NAME: Final = "missions_gone"


def _delete_most(lab: LabState) -> None:
    """Delete the finished missions of both tenants in one go: more than half of all."""
    delete_missions(lab, "northwind", "harbourlight", name=_NAME)


FAULTS: Final = (
    Fault(
        name=_NAME,
        title="A script deleted the finished missions of every tenant, more than half of all",
        inject=_delete_most,
        heal=lambda lab: put_back(lab, name=_NAME),
    ),
)
