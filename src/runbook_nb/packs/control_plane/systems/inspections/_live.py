"""What the agent's machines inspect at this moment, as each of them says."""

from typing import Any, Final

from runbook_nb.errors import NoAnswerError, NothingDoneError
from runbook_nb.packs.control_plane.systems._fly import addressed, agent_machines
from runbook_nb.probes.calls import Systems

PATH: Final = "/inspection"

Live = dict[str, Any]
Pair = tuple[str, str]


def machines(systems: Systems) -> list[dict[str, Any]]:
    """Return what each started machine says; raises NoAnswerError for one that is not heard."""
    started = [one["id"] for one in agent_machines(systems) if one["state"] == "started"]
    if not started:
        message = "No machine of the agent is started, so nobody can say what is inspected."
        raise NoAnswerError(message)
    return [_ask(systems, machine) for machine in started]


def live(systems: Systems) -> list[Live]:
    """Return the inspections under way on all machines, the oldest first; each names its machine.

    Raises what ``machines`` raises.
    """
    found = [
        {**one, "machine": said["machine"]}
        for said in machines(systems)
        for one in said["inspections"]
    ]
    return sorted(found, key=lambda one: -one["age_s"])


def pair(one: Live) -> Pair:
    """Return the mission and the toolkit of an inspection."""
    return one["mission_id"], one["toolkit"]


def end(systems: Systems, ended: list[Live]) -> list[Live]:
    """End inspections; returns those that had not ended by themselves."""
    done = []
    for one in ended:
        answer = systems.http("agent").request(
            "DELETE", f"{PATH}/{one['id']}", headers=addressed(one["machine"])
        )
        if not answer.is_error:
            done.append(one)
    return done


def begin(systems: Systems, pairs: list[Pair]) -> list[Live]:
    """Have missions' toolkits inspected; raises NothingDoneError where the agent takes none."""
    taken: list[Live] = []
    for mission, toolkit in pairs:
        answer = systems.http("agent").request(
            "POST", f"{PATH}/run", json={"mission_id": mission, "toolkits": [toolkit]}
        )
        if answer.is_error and not taken:
            message = f"The agent takes no inspection: HTTP {answer.status_code}."
            raise NothingDoneError(message)
        taken += answer.raise_for_status().json()["inspections"]
    return taken


def _ask(systems: Systems, machine: str) -> dict[str, Any]:
    answer = systems.http("agent").request("GET", PATH, headers=addressed(machine))
    try:
        found: dict[str, Any] = answer.raise_for_status().json()
        named = found["machine"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"Machine {machine} did not answer in the agent's own form."
        raise NoAnswerError(message) from error
    if named != machine:
        message = f"Machine {machine} was asked what it inspects, and {named} answered."
        raise NoAnswerError(message)
    return found
