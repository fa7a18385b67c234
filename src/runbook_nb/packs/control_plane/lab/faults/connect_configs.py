"""The faults of Connect Links: no link, a wrong one, or a provider who refuses."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.connect_way import (
    Inject,
    change_config,
    customers,
    disable_config,
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
    "redirect_wrong": (
        "An auth config has a redirect that the provider does not know; nobody gets past it",
        one_after_another(
            change_config("googledrive", oauth_redirect_uri=_OLD),
            customers(northwind(2, "googledrive", 12), harbourlight(3, "googledrive", 13)),
        ),
    ),
    "redirect_wrong.one_tenant": (
        "Only one tenant has tried since the redirect is wrong",
        one_after_another(
            change_config("googledrive", oauth_redirect_uri=_OLD),
            customers(northwind(4, "googledrive", 12)),
        ),
    ),
    "redirect_wrong.scopes_cut": (
        "An auth config lost a scope that we ask for, and the provider refuses what is left",
        one_after_another(
            change_config("hubspot", scopes=["crm.objects.contacts.read"]),
            customers(northwind(4, "hubspot", 12, state="FAILED", reason=_SCOPE)),
        ),
    ),
    "redirect_wrong.beside_left": (
        "A redirect is wrong, and a customer left the link of another toolkit",
        one_after_another(
            change_config("googledrive", oauth_redirect_uri=_OLD),
            customers(northwind(4, "googledrive", 12), harbourlight(1, "slack", 50)),
        ),
    ),
    "config_disabled": (
        "The auth config of a toolkit was disabled; no link is made",
        one_after_another(
            disable_config("zendesk"), customers(harbourlight(4, "zendesk", 12, linked=False))
        ),
    ),
    "config_disabled.both_tenants": (
        "The auth config of a toolkit was disabled; both tenants wait",
        one_after_another(
            disable_config("slack"),
            customers(
                harbourlight(2, "slack", 12, linked=False),
                northwind(3, "slack", 14, linked=False),
            ),
        ),
    ),
    "config_disabled.young": (
        "The auth config of a toolkit was disabled a few minutes ago",
        one_after_another(
            disable_config("zendesk"),
            customers(harbourlight(3, "zendesk", 3, step_min=1, linked=False)),
        ),
    ),
    "config_disabled.midway": (
        "The auth config was disabled while links of it were open",
        one_after_another(
            disable_config("zendesk"),
            customers(harbourlight(2, "zendesk", 12), harbourlight(2, "zendesk", 15, linked=False)),
        ),
    ),
    "links_never_made": (
        "Our own request for a link fails; missions chose a toolkit and have none",
        customers(northwind(4, "github", 12, linked=False)),
    ),
    "links_never_made.one_mission": (
        "One mission has no link for the toolkit that it chose",
        customers(northwind(1, "github", 12, linked=False)),
    ),
    "links_never_made.all_toolkits": (
        "No link is made for any toolkit",
        customers(
            northwind(2, "slack", 12, linked=False), harbourlight(3, "gmail", 12, linked=False)
        ),
    ),
    "links_never_made.everywhere": (
        "No link is made for four toolkits",
        customers(
            *(northwind(1, one, 12, linked=False) for one in ("hubspot", "gmail", "slack")),
            northwind(2, "github", 12, linked=False),
        ),
    ),
    "links_never_made.hours_ago": (
        "No link was made all morning",
        customers(northwind(4, "zendesk", 240, step_min=20, linked=False)),
    ),
    "consents_refused": (
        "A workspace lets no user approve our app; the provider refuses them all",
        customers(harbourlight(4, "hubspot", 12, state="FAILED", reason=_ADMIN)),
    ),
    "consents_refused.denied": (
        "Customers of one tenant say no at the provider",
        customers(northwind(4, "googledrive", 15, state="FAILED", reason=_DENIED)),
    ),
    "consents_refused.recorded": (
        "The provider refuses them all, and our rows say failed",
        customers(harbourlight(4, "hubspot", 12, state="FAILED", reason=_ADMIN, row="failed")),
    ),
    "consents_refused.beside_left": (
        "The provider refuses them all, and one customer of another toolkit left",
        customers(
            harbourlight(4, "hubspot", 12, state="FAILED", reason=_ADMIN),
            northwind(1, "slack", 45),
        ),
    ),
}

FAULTS: Final = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal_way)
    for name, (title, inject) in _INJECT.items()
)
