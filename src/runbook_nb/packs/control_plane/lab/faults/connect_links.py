"""The faults of Connect Links: each breaks the way at another place."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.connect_way import (
    Inject,
    customers,
    edge_refuses,
    harbourlight,
    heal_way,
    northwind,
    one_after_another,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault

_ADMIN: Final = "admin_policy_enforced: an administrator of the workspace must approve this app"
_DENIED: Final = "access_denied: the resource owner or authorization server denied the request"
_SCOPE: Final = "invalid_scope: the requested scope is unknown or malformed"
_OLD: Final = "https://connect.old-domain.example/api/v1/auth-apps/add"
_OWN: Final = "https://connect.company.com/api/v1/auth-apps/add"

_INJECT: Final[dict[str, tuple[str, Inject]]] = {
    "links_left": (
        "Customers opened their links and left; the links are dead and our rows still wait",
        customers(northwind(4, "hubspot", 40)),
    ),
    "links_left.two_toolkits": (
        "Customers of two tenants left the links of two toolkits",
        customers(northwind(3, "slack", 45), harbourlight(3, "gmail", 35)),
    ),
    "links_left.swept": (
        "A job set the rows of dead links to expired; their missions wait all the same",
        customers(northwind(4, "hubspot", 40, row="expired", state="EXPIRED")),
    ),
    "links_left.hours_ago": (
        "Customers left their links this morning",
        customers(harbourlight(5, "zendesk", 300, step_min=25)),
    ),
    "popups_blocked": (
        "Browsers of a tenant block the window of the link, and say so",
        customers(harbourlight(4, "slack", 12, told="popup_blocked")),
    ),
    "popups_blocked.young": (
        "Browsers began to block the window five minutes ago",
        customers(harbourlight(4, "slack", 2, step_min=1, told="popup_blocked")),
    ),
    "popups_blocked.every_toolkit": (
        "Browsers block the windows of every toolkit, of both tenants",
        customers(
            northwind(3, "github", 15, told="popup_blocked"),
            harbourlight(3, "googledrive", 14, told="popup_blocked"),
        ),
    ),
    "popups_blocked.beside_refusals": (
        "Some browsers block the window, and one customer says no",
        customers(
            harbourlight(4, "slack", 12, told="popup_blocked"),
            harbourlight(1, "hubspot", 20, state="FAILED", reason=_DENIED),
        ),
    ),
    "states_mixed_up": (
        "Customers come back with another link's state and are turned away",
        customers(northwind(4, "github", 12, state="ACTIVE", told="state_mismatch")),
    ),
    "states_mixed_up.one_customer": (
        "One customer came back with another link's state",
        customers(northwind(1, "github", 12, state="ACTIVE", told="state_mismatch")),
    ),
    "states_mixed_up.beside_lost": (
        "States do not match for most, and one callback was lost",
        customers(
            northwind(4, "github", 12, state="ACTIVE", told="state_mismatch"),
            northwind(3, "github", 30, told="popup_blocked"),
        ),
    ),
    "states_mixed_up.old": (
        "States have not matched since the morning",
        customers(
            harbourlight(5, "gmail", 200, step_min=20, state="ACTIVE", told="state_mismatch")
        ),
    ),
    "callbacks_lost": (
        "Customers consented at Composio and never came back to us; our rows still wait",
        customers(harbourlight(4, "gmail", 12, state="ACTIVE")),
    ),
    "callbacks_lost.one_of_many": (
        "One consent of many never came back",
        customers(harbourlight(1, "gmail", 25, state="ACTIVE")),
    ),
    "callbacks_lost.late": (
        "A job gave the rows up before their customers consented",
        customers(northwind(4, "zendesk", 40, state="ACTIVE", row="expired")),
    ),
    "callback_refused": (
        "The edge answers for the callback itself, and consents do not come back",
        one_after_another(customers(harbourlight(4, "gmail", 12, state="ACTIVE")), edge_refuses),
    ),
    "callbacks_lost.unseen": (
        "Consents did not come back, and no event of any link arrives",
        customers(harbourlight(4, "gmail", 12, state="ACTIVE"), silent=True),
    ),
}

FAULTS: Final = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal_way)
    for name, (title, inject) in _INJECT.items()
)
