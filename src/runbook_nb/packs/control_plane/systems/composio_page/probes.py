"""What is read of Composio's status page."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio import ANSWERED, ask, demand_way_out
from runbook_nb.probes.calls import Reading, Systems, probe

SUMMARY: Final = "/api/v2/summary.json"
_WELL: Final = "none"


@probe(unit="", timeout_s=20)
def agreement(systems: Systems) -> Reading:
    """Compare Composio's page with two requests of ours.

    ``agrees``; ``says well`` where it answers us not at all; ``says trouble`` where it answers us.
    """
    page = _page(systems)
    asked = [ask(systems), ask(systems)]
    answers = all(one["came"] == ANSWERED for one in asked)
    if not answers:
        demand_way_out(systems)
    well = page["indicator"] == _WELL
    word = "agrees" if well == answers else ("says well" if well else "says trouble")
    return Reading(value=word, detail={**page, "came to us": [one["came"] for one in asked]})


def _page(systems: Systems) -> dict[str, Any]:
    answer = systems.http("composio_status").get(SUMMARY, timeout_s=5).raise_for_status()
    try:
        said = answer.json()
        return {
            "indicator": said["status"]["indicator"],
            "not well": {
                one["name"]: one["status"]
                for one in said["components"]
                if one["status"] != "operational"
            },
            "incidents": [one["name"] for one in said["incidents"]],
        }
    except (ValueError, KeyError, TypeError) as error:
        message = "The status page did not answer in its own form."
        raise NoAnswerError(message) from error
