"""The hands for faults of Connect Links: customers, auth configs, and the edge in front of us."""

from collections.abc import Callable, Sequence
from typing import Any

from runbook_nb.packs.control_plane.lab.edge_config import default_config
from runbook_nb.packs.control_plane.lab.faults.connect_rows import (
    Customer,
    connect,
    group,
    heal_links,
)
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import API, composio, provide
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.packs.control_plane.lab.ui_connect import PATH

# What a fault does to the lab.
Inject = Callable[[LabState], None]


def customers(*groups: Sequence[Customer], silent: bool = False) -> Inject:
    """Have these customers tried to connect."""
    everybody = [one for each in groups for one in each]
    return lambda lab: connect(lab, everybody, silent=silent)


def northwind(number: int, toolkit: str, from_min: float, **more: Any) -> list[Customer]:
    """Return so many customers of the first tenant."""
    return group(number, tenant="northwind", toolkit=toolkit, from_min=from_min, **more)


def harbourlight(number: int, toolkit: str, from_min: float, **more: Any) -> list[Customer]:
    """Return so many customers of the second tenant."""
    return group(number, tenant="harbourlight", toolkit=toolkit, from_min=from_min, **more)


def change_config(toolkit: str, **credentials: object) -> Inject:
    """Change the credentials of a toolkit's auth config."""

    def change(lab: LabState) -> None:
        with composio(lab) as client:
            body = {"type": "custom", "credentials": credentials}
            client.patch(f"{API}/auth_configs/ac_{toolkit}", json=body).raise_for_status()

    return change


def disable_config(toolkit: str) -> Inject:
    """Disable a toolkit's auth config."""

    def disable(lab: LabState) -> None:
        with composio(lab) as client:
            client.patch(f"{API}/auth_configs/ac_{toolkit}/DISABLED").raise_for_status()

    return disable


def one_after_another(*steps: Inject) -> Inject:
    """Do one after the other."""

    def inject(lab: LabState) -> None:
        for step in steps:
            step(lab)

    return inject


def edge_refuses(lab: LabState) -> None:
    """Have the edge answer for the callback itself, as a wrong rule does."""
    _change_edge(lab, refuse=True)


def _change_edge(lab: LabState, *, refuse: bool) -> None:
    import httpx

    config = default_config(listen=lab.ports["edge"], upstream=lab.ports["ui"])
    route = {
        "match": [{"path": [PATH]}],
        "handle": [{"handler": "static_response", "status_code": 404, "body": "Not Found"}],
    }
    if refuse:
        config["apps"]["http"]["servers"]["srv0"]["routes"].insert(0, route)
    with httpx.Client(trust_env=False, verify=NO_CERTIFICATES) as admin:
        url = f"http://127.0.0.1:{lab.ports['edge_admin']}/load"
        admin.post(url, json=config).raise_for_status()


def heal_way(lab: LabState) -> None:
    """Have the edge, the customers and the auth configs as they were."""
    _change_edge(lab, refuse=False)
    heal_links(lab)


def know_redirect(url: str) -> Inject:
    """Have the providers' apps know a further redirect."""

    def know(lab: LabState) -> None:
        provide(lab, registered=[url])

    return know
