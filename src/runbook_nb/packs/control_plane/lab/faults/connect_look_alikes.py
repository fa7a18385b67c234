"""What looks like a broken Connect Link and is legitimate."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.connect_way import (
    Inject,
    change_config,
    customers,
    disable_config,
    harbourlight,
    heal_way,
    know_redirect,
    northwind,
    one_after_another,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.state import LabState

_OWN: Final = "https://connect.company.com/api/v1/auth-apps/add"
_DENIED: Final = "access_denied: the resource owner or authorization server denied the request"
_WEEKS_MIN: Final = 8 * 24 * 60


def _usual(lab: LabState) -> None:
    """Have a toolkit that a third of its customers never finish, today as in the weeks before."""
    gone = {"state": "EXPIRED", "row": "expired", "status": "completed", "stage": "Reflect"}
    well = {"state": "ACTIVE", "row": "approved", "status": "completed", "stage": "Reflect"}
    customers(
        harbourlight(20, "googledrive", _WEEKS_MIN, step_min=300, **gone),
        harbourlight(10, "googledrive", _WEEKS_MIN, step_min=600, **well),
        harbourlight(4, "googledrive", 90, step_min=60, **gone),
        harbourlight(5, "googledrive", 100, step_min=60, **well),
    )(lab)


_INJECT: Final[dict[str, tuple[str, Inject]]] = {
    "customers_choose": (
        "Customers have their links open and have not decided yet",
        customers(harbourlight(5, "slack", 3, step_min=1), northwind(3, "github", 2)),
    ),
    "one_customer_refuses": (
        "One customer says no at the provider",
        customers(harbourlight(1, "slack", 20, state="FAILED", reason=_DENIED, row="failed")),
    ),
    "usual_drop_out": ("Many customers do not finish, as every week", _usual),
    "redirect_moved": (
        "The redirect moved to a domain of our own that the provider knows, and customers connect",
        one_after_another(
            know_redirect(_OWN),
            change_config("googledrive", oauth_redirect_uri=_OWN),
            customers(
                northwind(2, "googledrive", 0, step_min=0, state="ACTIVE", row="approved"),
                harbourlight(1, "googledrive", 5),
            ),
        ),
    ),
    "toolkit_retired": (
        "The auth config of a toolkit that nobody asks for is disabled",
        disable_config("zendesk"),
    ),
}

FAULTS: Final = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal_way)
    for name, (title, inject) in _INJECT.items()
)
