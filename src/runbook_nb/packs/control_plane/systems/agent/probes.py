"""What is read of the agent and its machines."""

import time
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import agent_machines
from runbook_nb.probes.calls import Reading, Systems, probe

if TYPE_CHECKING:
    import httpx

# The platform's limit for /health is 2 s. A loop that is blocked answers late, a stopped process
# not at all; only waiting longer than the longest block seen (12 s) tells one from the other.
SLOW_S: Final = 2.0
PATIENCE_S: Final = 12.5
# A blocked loop breathes between two calls. Samples further apart than that meet the next block.
SPACING_S: Final = 0.6
LIVE_MISSIONS: Final = """
select count(distinct s.mission_id) as live
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
"""


@probe(unit="", timeout_s=30)
def health(systems: Systems, *, samples: int = 2) -> Reading:
    """Ask /health a few times, 0.6 s apart, until an answer is not ``ok``, and name the last one.

    ``ok`` is the agent's own word within 2 s; else ``slow``, ``no answer`` (12.5 s), ``refused``,
    ``not the agent`` or the status.
    """
    seen: list[dict[str, Any]] = []
    for number in range(samples):
        if number:
            time.sleep(SPACING_S)
        seen.append(_ask_health(systems))
        # One that is not well has told enough, and asking on could outlast the time for all of it.
        if seen[-1]["answer"] != "ok":
            break
    return Reading(value=seen[-1]["answer"], detail=seen)


@probe(unit="missions")
def missions_per_machine(systems: Systems) -> Reading:
    """Return the live missions for each started machine of the agent."""
    machines = agent_machines(systems)
    started = [machine for machine in machines if machine["state"] == "started"]
    live = systems.database().value(LIVE_MISSIONS)
    if not started:
        message = f"No machine of the agent is started; there are {len(machines)}."
        raise NoAnswerError(message)
    return Reading(
        value=round(live / len(started), 1),
        detail=[{"machine": one["id"], "state": one["state"]} for one in machines],
    )


def _ask_health(systems: Systems) -> dict[str, Any]:
    import httpx

    began = time.monotonic()
    try:
        response = systems.http("agent").get("/health", timeout_s=PATIENCE_S)
    except httpx.TimeoutException:
        return {"answer": "no answer", "waited_s": PATIENCE_S}
    except httpx.ConnectError as error:
        return {"answer": "refused", "error": str(error)}
    except httpx.RemoteProtocolError as error:
        return {"answer": "cut off", "error": str(error)}
    took_s = round(time.monotonic() - began, 3)
    if response.status_code != httpx.codes.OK:
        return {"answer": f"HTTP {response.status_code}", "took_s": took_s}
    if not _says_ok(response):
        # A proxy's page can come with HTTP 200 too; only the agent says that it is well.
        return {"answer": "not the agent", "took_s": took_s, "said": response.text[:200]}
    return {"answer": "ok" if took_s <= SLOW_S else "slow", "took_s": took_s}


def _says_ok(response: "httpx.Response") -> bool:
    try:
        return bool(response.json() == {"status": "ok"})
    except ValueError:
        return False
