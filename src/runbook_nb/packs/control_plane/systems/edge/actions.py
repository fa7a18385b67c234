"""What is changed in the configuration of the edge."""

from collections.abc import Iterator
from typing import Any, Final

from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

ROUTES: Final = "/config/apps/http/servers/srv0/routes"
AT_ONCE: Final = -1


@action(timeout_s=30, repeatable=True, contained=True)
def stop_buffering(systems: Systems) -> Json:
    """Make every reverse proxy of the edge send responses at once; returns what stood there."""
    edge = systems.http("edge.admin")
    before = list(_buffering(systems))
    for found in before:
        wanted = {**found["handler"], "flush_interval": AT_ONCE}
        wanted.pop("response_buffers", None)
        edge.request("PATCH", found["path"], json=wanted).raise_for_status()
    return {"changed": before}


@stop_buffering.rehearsal
def _(systems: Systems) -> Json:
    return {"would change": list(_buffering(systems)), "to": {"flush_interval": AT_ONCE}}


@stop_buffering.undo
def _(systems: Systems, result: Json) -> Json:
    for found in result["changed"]:
        systems.http("edge.admin").request(
            "PATCH", found["path"], json=found["handler"]
        ).raise_for_status()
    return {"restored": [found["path"] for found in result["changed"]]}


def _buffering(systems: Systems) -> Iterator[dict[str, Any]]:
    """Find the proxies that hold responses back, with their path in the configuration."""
    routes = systems.http("edge.admin").get(ROUTES).raise_for_status().json()
    for number, route in enumerate(routes):
        for place, handler in enumerate(route.get("handle", ())):
            held = handler.get("response_buffers") or handler.get("flush_interval") != AT_ONCE
            if handler.get("handler") == "reverse_proxy" and held:
                yield {"path": f"{ROUTES}/{number}/handle/{place}", "handler": handler}
