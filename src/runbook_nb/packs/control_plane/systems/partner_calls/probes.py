"""What is read of the missions' calls to Composio."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.impact import measure
from runbook_nb.packs.control_plane.systems._composio import ANSWERED, ask, told
from runbook_nb.packs.control_plane.systems._fly import agent_machines
from runbook_nb.packs.control_plane.systems._partner_calls import (
    UNSENT,
    began_at,
    mostly_failing,
    pairs,
    since,
    toolkits,
)
from runbook_nb.probes.calls import Reading, Systems, probe

# With fewer toolkits in use nobody can tell whether they fail together.
TOGETHER: Final = 3
# Half of the toolkits in use, as the platform tells an outage from a toolkit's own trouble.
OUTAGE: Final = 50.0
ADDRESS: Final = "COMPOSIO_URL"


@probe(unit="%")
def failing_together(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of toolkits called since it began that fail for most tenants, in percent.

    A call fails that ended in a 5xx, without its answer, or far slower than ever. Raises
    NoAnswerError without enough calls, and below three toolkits called since the first failure.
    """
    found = pairs(systems, window=window)
    failing = [pair for pair in found if pair.failing]
    at = began_at(failing)
    if at is None:
        return Reading(value=0.0, detail=[pair.as_json() for pair in found])
    called = since(found, at)
    if len(toolkits(called)) < TOGETHER:
        message = (
            f"Since the first failure only {', '.join(sorted(toolkits(called)))} were called; "
            "nobody can tell whether the others fail too."
        )
        raise NoAnswerError(message)
    share = 100 * len(mostly_failing(called)) / len(toolkits(called))
    radius = measure(systems.database(), window=window)
    detail = {"began": at, "called since": [pair.as_json() for pair in called]}
    return Reading(value=round(share, 1), detail=detail, impact=radius.impact)


@probe(unit="pairs")
def failing_alone(systems: Systems, *, window: timedelta) -> Reading:
    """Count the tenants and toolkits that fail while most others work.

    Where half of the toolkits fail it is an outage, and none fails alone.
    """
    found = pairs(systems, window=window)
    failing = [pair for pair in found if pair.failing]
    at = began_at(failing)
    called = since(found, at) if at else []
    wide = len(toolkits(called)) >= TOGETHER and (
        100 * len(mostly_failing(called)) >= OUTAGE * len(toolkits(called))
    )
    alone = [] if wide else failing
    return Reading(value=len(alone), detail=[pair.as_json() for pair in failing])


@probe(unit="%", timeout_s=15)
def never_left(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of the newest calls that never reached Composio, in percent.

    Raises NoAnswerError while Composio cannot be reached from here either: then nobody can tell
    whose side it is.
    """
    found = pairs(systems, window=window)
    calls = sum(len(pair.calls) for pair in found)
    unsent = [call for pair in found for call in pair.failed(UNSENT)]
    if unsent and (asked := ask(systems))["came"] != ANSWERED:
        message = f"Calls do not reach Composio, and from here neither: {told(asked)}."
        raise NoAnswerError(message)
    codes = sorted({call["error_code"] for call in unsent})
    worst = max((100 * len(p.failed(UNSENT)) / len(p.calls) for p in found), default=0.0)
    detail = {"calls": calls, "never left": len(unsent), "codes": codes}
    return Reading(value=round(worst, 1), detail=detail)


@probe(unit="machines")
def agent_addresses(systems: Systems) -> Reading:
    """Count the agent's machines that look for Composio at another address than the settings say.

    Raises NoAnswerError where no machine names an address.
    """
    wanted = urlsplit(systems.setting("composio", "url"))
    found = {
        machine["id"]: machine["config"].get("env", {}).get(ADDRESS)
        for machine in agent_machines(systems)
    }
    if not any(found.values()):
        message = f"No machine of the agent has {ADDRESS} in its environment."
        raise NoAnswerError(message)
    other = {
        machine: urlsplit(address or "").netloc
        for machine, address in found.items()
        if (urlsplit(address or "").scheme, urlsplit(address or "").netloc)
        != (wanted.scheme, wanted.netloc)
    }
    return Reading(value=len(other), detail={"settings say": wanted.netloc, "others": other})
