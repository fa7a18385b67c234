"""How releases are moved back, or to their pair."""

from collections.abc import Iterator
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import machines_path
from runbook_nb.packs.control_plane.systems._vercel import deployments
from runbook_nb.packs.control_plane.systems.releases._machines import (
    IN_FLIGHT,
    demand_machines,
    earlier_versions,
    live_interface,
    number_of,
    release_of,
    versions,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

STARTED: Final = {"state": "started", "timeout": "60"}


@action(timeout_s=120, repeatable=True, contained=True)
def roll_back(systems: Systems) -> Json:
    """Give every machine the image and configuration of the release before; wait for each.

    A machine whose last release was later than its present one is left: it is rolled back already.
    """
    return {"machines": [_move(systems, *move) for move in list(_steps_back(systems))]}


@roll_back.rehearsal
def _(systems: Systems) -> Json:
    return {
        "would move": [_described(*move) for move in _steps_back(systems)],
        "missions whose calls are cut": len(systems.database().rows(IN_FLIGHT)),
    }


@roll_back.undo
def _(systems: Systems, result: Json) -> Json:
    return _moved_back(systems, result["machines"])


@action(timeout_s=120, repeatable=True, contained=True)
def align(systems: Systems) -> Json:
    """Move the newer of UI and agent to the release of the older; wait until it runs."""
    interface, moves = _alignment(systems)
    done = {"ui": interface, "machines": [_move(systems, *move) for move in moves]}
    if interface:
        _point_at(systems, "/v1/projects/{project}/rollback/", interface["now"])
    return done


@align.rehearsal
def _(systems: Systems) -> Json:
    interface, moves = _alignment(systems)
    return {"ui would move": interface, "would move": [_described(*move) for move in moves]}


@align.undo
def _(systems: Systems, result: Json) -> Json:
    interface = result["ui"]
    if interface and live_interface(systems)["deployment"] != interface["was"]:
        _point_at(systems, "/v10/projects/{project}/promote/", interface["was"])
    return {"ui": interface, **_moved_back(systems, result["machines"])}


def _alignment(
    systems: Systems,
) -> tuple[dict[str, str] | None, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Return how the UI must move, and how machines must, so that all run the oldest release."""
    interface, machines = live_interface(systems), demand_machines(systems)
    deployed = _deployed(systems)
    unknown = {interface["release"], *(release_of(m["config"]) for m in machines)} - set(deployed)
    if unknown:
        message = f"When {', '.join(sorted(unknown))} was released is not known at Vercel."
        raise NoAnswerError(message)
    releases = [interface["release"], *(release_of(machine["config"]) for machine in machines)]
    oldest = min(releases, key=lambda release: int(deployed[release]["created"]))
    moves = [
        (machine, _version(systems, machine, oldest))
        for machine in machines
        if release_of(machine["config"]) != oldest
    ]
    if interface["release"] == oldest:
        return None, moves
    return {"was": interface["deployment"], "now": deployed[oldest]["uid"]}, moves


def _deployed(systems: Systems) -> dict[str, dict[str, Any]]:
    """Return the production deployments by their release, the newest of each."""
    found = sorted(deployments(systems), key=lambda one: int(one["created"]))
    return {one.get("meta", {}).get("release", ""): one for one in found}


def _point_at(systems: Systems, path: str, deployment: str) -> None:
    where = path.format(project=systems.setting("vercel", "project")) + deployment
    systems.http("vercel").request("POST", where).raise_for_status()


def _steps_back(systems: Systems) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each machine that is not rolled back yet, with the version before its release."""
    for machine in demand_machines(systems):
        running = number_of(machine["config"])
        numbers = (number_of(v["user_config"]) for v in versions(systems, machine))
        if next((n for n in numbers if n != running), running) > running:
            continue
        earlier = earlier_versions(systems, machine)
        if not earlier:
            message = f"No release before {release_of(machine['config'])} is known to the machine."
            raise NoAnswerError(message)
        yield machine, earlier[0]


def _version(systems: Systems, machine: dict[str, Any], release: str) -> dict[str, Any]:
    earlier = earlier_versions(systems, machine)
    found = next((v for v in earlier if release_of(v["user_config"]) == release), None)
    if found is None:
        message = f"The machine {machine['id']} never ran {release}, so it cannot go back to it."
        raise NoAnswerError(message)
    return found


def _move(systems: Systems, machine: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    moved = {**_described(machine, target), "was": machine["instance_id"]}
    fly, path = systems.http("fly"), f"{machines_path(systems)}/{machine['id']}"
    fly.request("POST", path, json={"config": target["user_config"]}).raise_for_status()
    fly.get(f"{path}/wait", params=STARTED).raise_for_status()
    return moved


def _moved_back(systems: Systems, moves: list[dict[str, Any]]) -> dict[str, Any]:
    fly = systems.http("fly")
    for move in moves:
        path = f"{machines_path(systems)}/{move['machine']}"
        kept = versions(systems, {"id": move["machine"]})
        config = next(v["user_config"] for v in kept if v["version"] == move["was"])
        if fly.get(path).raise_for_status().json()["config"] != config:
            fly.request("POST", path, json={"config": config}).raise_for_status()
            fly.get(f"{path}/wait", params=STARTED).raise_for_status()
    return {"machines": [{"machine": m["machine"], "release": m["from"]} for m in moves]}


def _described(machine: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine["id"],
        "from": release_of(machine["config"]),
        "to": release_of(target["user_config"]),
        "image": target["user_config"]["image"],
    }
