"""The agent service: its health, and its machines through Fly's Machines API."""

import time
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    import httpx

# The platform's limit for /health is 2 s. A loop that is blocked answers late, a stopped process
# not at all; only waiting longer than the longest block seen (12 s) tells one from the other.
SLOW_S: Final = 2.0
PATIENCE_S: Final = 12.5
# A blocked loop breathes between two calls. Samples further apart than that meet the next block.
SPACING_S: Final = 0.6
LAG_DECIMALS: Final = "HEARTBEAT_LAG_DECIMALS"

LIVE_MISSIONS: Final = """
select count(distinct s.mission_id) as live
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
"""

IN_FLIGHT: Final = """
select s.mission_id, s.agent_name, s.last_heartbeat_at, m.title
from mission_sessions s
join missions m on m.id = s.mission_id and m.status = 'in_progress'
where s.status = 'active'
order by s.last_heartbeat_at
"""


@probe(unit="", timeout_s=30)
def health(systems: Systems, *, samples: int = 2) -> Reading:
    """Ask /health a few times, 0.6 s apart, and name the worst answer.

    ``ok`` is the agent's own word within 2 s; else ``slow``, ``no answer`` (12.5 s), ``refused``,
    ``not the agent`` or the status.
    """
    seen: list[dict[str, Any]] = []
    for number in range(samples):
        if number:
            time.sleep(SPACING_S)
        seen.append(_ask_health(systems))
        if seen[-1]["answer"] not in ("ok", "slow"):
            break
    worst = next((one for one in seen if one["answer"] != "ok"), seen[0])
    return Reading(value=worst["answer"], detail=seen)


@probe(unit="missions")
def missions_per_machine(systems: Systems) -> Reading:
    """Return the live missions for each started machine of the agent."""
    machines = _machines(systems)
    started = [machine for machine in machines if machine["state"] == "started"]
    live = systems.database().value(LIVE_MISSIONS)
    if not started:
        message = f"No machine of the agent is started; there are {len(machines)}."
        raise NoAnswerError(message)
    return Reading(
        value=round(live / len(started), 1),
        detail=[{"machine": one["id"], "state": one["state"]} for one in machines],
    )


@action(timeout_s=90, repeatable=True)
def restart(systems: Systems) -> Json:
    """Restart every machine of the agent, one after the other, and wait until each is started."""
    fly = systems.http("fly")
    done = []
    for machine in _machines(systems):
        verb = "restart" if machine["state"] == "started" else "start"
        path = f"{_path(systems)}/{machine['id']}"
        fly.request("POST", f"{path}/{verb}").raise_for_status()
        fly.get(f"{path}/wait", params={"state": "started", "timeout": "60"}).raise_for_status()
        done.append({"machine": machine["id"], "was": machine["state"], "sent": verb})
    return {"machines": done}


@restart.rehearsal
def _(systems: Systems) -> Json:
    return {
        "would restart": [
            {"machine": machine["id"], "state": machine["state"]} for machine in _machines(systems)
        ],
        "missions that resume from their last checkpoint": systems.database().rows(IN_FLIGHT),
    }


@action(timeout_s=120)
def scale_out(systems: Systems, *, machines: int) -> Json:
    """Add machines with the configuration of the first, until there are so many."""
    fly, path = systems.http("fly"), _path(systems)
    present = _machines(systems)
    added = []
    for _number in range(len(present), machines):
        created = fly.request("POST", path, json={"config": present[0]["config"]})
        added.append(created.raise_for_status().json()["id"])
        wait = {"state": "started", "timeout": "60"}
        fly.get(f"{path}/{added[-1]}/wait", params=wait).raise_for_status()
    return {"before": len(present), "added": added}


@scale_out.rehearsal
def _(systems: Systems, *, machines: int) -> Json:
    present = _machines(systems)
    return {"machines now": len(present), "would add": max(0, machines - len(present))}


@scale_out.undo
def _(systems: Systems, result: Json, *, machines: int) -> Json:  # noqa: ARG001
    for machine in result["added"]:
        path = f"{_path(systems)}/{machine}"
        systems.http("fly").request("DELETE", path, params={"force": "true"}).raise_for_status()
    return {"removed": result["added"]}


@action(timeout_s=90, repeatable=True)
def set_lag_decimals(systems: Systems, *, decimals: int) -> Json:
    """Set how many decimals the agent writes in ``lag_ms``; each machine restarts with it."""
    return {"before": _configure(systems, str(decimals))}


@set_lag_decimals.rehearsal
def _(systems: Systems, *, decimals: int) -> Json:
    return [
        {"machine": machine["id"], LAG_DECIMALS: _decimals(machine), "would become": decimals}
        for machine in _machines(systems)
    ]


@set_lag_decimals.undo
def _(systems: Systems, result: Json, *, decimals: int) -> Json:  # noqa: ARG001
    for machine, before in result["before"].items():
        _configure(systems, before, only=machine)
    return {"restored": result["before"]}


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


def _configure(systems: Systems, decimals: str, only: str | None = None) -> dict[str, str]:
    """Write the setting into the machines' configuration; return what stood there."""
    fly, before = systems.http("fly"), {}
    for machine in _machines(systems):
        if only in (None, machine["id"]):
            before[machine["id"]] = _decimals(machine)
            config = machine["config"]
            wanted = {**config, "env": {**config.get("env", {}), LAG_DECIMALS: decimals}}
            path = f"{_path(systems)}/{machine['id']}"
            fly.request("POST", path, json={"config": wanted}).raise_for_status()
            wait = {"state": "started", "timeout": "60"}
            fly.get(f"{path}/wait", params=wait).raise_for_status()
    return before


def _decimals(machine: dict[str, Any]) -> str:
    return str(machine["config"].get("env", {}).get(LAG_DECIMALS, "0"))


def _machines(systems: Systems) -> list[dict[str, Any]]:
    response = systems.http("fly").get(_path(systems))
    machines: list[dict[str, Any]] = response.raise_for_status().json()
    return machines


def _path(systems: Systems) -> str:
    return f"/v1/apps/{systems.setting('fly', 'app')}/machines"
