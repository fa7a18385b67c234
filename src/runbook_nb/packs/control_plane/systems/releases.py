"""The releases of the agent's machines at Fly, and their pair, the user interface at Vercel.

A release is named by the build itself: ``metadata.release`` of a machine's configuration, and
``meta.release`` of a deployment. UI and agent share event names and routes, so that only equal
releases belong together.
"""

from collections.abc import Iterator
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json

SAME: Final = "same release"
STARTED: Final = {"state": "started", "timeout": "60"}

IN_FLIGHT: Final = """
select id as mission_id, title, updated_at
from missions
where status = 'in_progress'
  and current_stage = 'Execute'
order by updated_at desc
"""


@probe(unit="")
def pairing(systems: Systems) -> Reading:
    """Compare the live releases of UI and agent; ``same release``, or both named."""
    interface = _live_interface(systems)
    agent = {machine["id"]: _release(machine["config"]) for machine in _machines(systems)}
    named = sorted(set(agent.values()))
    same = named == [interface["release"]]
    return Reading(
        value=SAME if same else f"ui {interface['release']}, agent {' and '.join(named)}",
        detail={"ui": interface, "agent": agent},
    )


@probe(unit="releases")
def ways_back(systems: Systems) -> Reading:
    """Count the releases before the running one that every machine can go back to."""
    earlier = {
        machine["id"]: sorted({_release(one["user_config"]) for one in _earlier(systems, machine)})
        for machine in _machines(systems)
    }
    return Reading(value=min(map(len, earlier.values())), detail=earlier)


@probe(unit="missions")
def in_flight(systems: Systems) -> Reading:
    """Count the missions that are being executed now; a restart of the agent cuts their calls."""
    rows = systems.database().rows(IN_FLIGHT)
    return Reading(value=len(rows), detail=rows)


@action(timeout_s=120, repeatable=True)
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


@action(timeout_s=120, repeatable=True)
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
    if interface and _live_interface(systems)["deployment"] != interface["was"]:
        _point_at(systems, "/v10/projects/{project}/promote/", interface["was"])
    return {"ui": interface, **_moved_back(systems, result["machines"])}


def _alignment(
    systems: Systems,
) -> tuple[dict[str, str] | None, list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Return how the UI must move, and how machines must, so that all run the oldest release."""
    interface, machines = _live_interface(systems), _machines(systems)
    deployed = _deployed(systems)
    unknown = {interface["release"], *(_release(m["config"]) for m in machines)} - set(deployed)
    if unknown:
        message = f"When {', '.join(sorted(unknown))} was released is not known at Vercel."
        raise NoAnswerError(message)
    releases = [interface["release"], *(_release(machine["config"]) for machine in machines)]
    oldest = min(releases, key=lambda release: int(deployed[release]["created"]))
    moves = [
        (machine, _version(systems, machine, oldest))
        for machine in machines
        if _release(machine["config"]) != oldest
    ]
    if interface["release"] == oldest:
        return None, moves
    return {"was": interface["deployment"], "now": deployed[oldest]["uid"]}, moves


def _live_interface(systems: Systems) -> dict[str, str]:
    vercel, project = systems.http("vercel"), systems.setting("vercel", "project")
    found = vercel.get(f"/v9/projects/{project}").raise_for_status().json()
    live = (found.get("targets") or {}).get("production") or {}
    release = live.get("meta", {}).get("release")
    if not release:
        message = "The live deployment of the UI does not say which release it is."
        raise NoAnswerError(message)
    return {"deployment": live["id"], "release": release}


def _deployed(systems: Systems) -> dict[str, dict[str, Any]]:
    """Return the production deployments by their release, the newest of each."""
    params = {"projectId": systems.setting("vercel", "project"), "target": "production"}
    listed = systems.http("vercel").get("/v6/deployments", params={**params, "limit": "100"})
    found = sorted(listed.raise_for_status().json()["deployments"], key=lambda d: int(d["created"]))
    return {one.get("meta", {}).get("release", ""): one for one in found}


def _point_at(systems: Systems, path: str, deployment: str) -> None:
    where = path.format(project=systems.setting("vercel", "project")) + deployment
    systems.http("vercel").request("POST", where).raise_for_status()


def _machines(systems: Systems) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = systems.http("fly").get(_path(systems)).raise_for_status().json()
    if not found:
        message = "The agent has no machine at Fly."
        raise NoAnswerError(message)
    return found


def _steps_back(systems: Systems) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each machine that is not rolled back yet, with the version before its release."""
    for machine in _machines(systems):
        running = _number(machine["config"])
        numbers = (_number(v["user_config"]) for v in _versions(systems, machine))
        if next((n for n in numbers if n != running), running) > running:
            continue
        earlier = _earlier(systems, machine)
        if not earlier:
            message = f"No release before {_release(machine['config'])} is known to the machine."
            raise NoAnswerError(message)
        yield machine, earlier[0]


def _versions(systems: Systems, machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the machine's configurations, the newest first."""
    answer = systems.http("fly").get(f"{_path(systems)}/{machine['id']}/versions")
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


def _earlier(systems: Systems, machine: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the machine's versions of releases before its own, the newest release first."""
    running = _number(machine["config"])
    found = [v for v in _versions(systems, machine) if _number(v["user_config"]) < running]
    return sorted(found, key=lambda version: -_number(version["user_config"]))


def _version(systems: Systems, machine: dict[str, Any], release: str) -> dict[str, Any]:
    earlier = _earlier(systems, machine)
    found = next((v for v in earlier if _release(v["user_config"]) == release), None)
    if found is None:
        message = f"The machine {machine['id']} never ran {release}, so it cannot go back to it."
        raise NoAnswerError(message)
    return found


def _move(systems: Systems, machine: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    moved = {**_described(machine, target), "was": machine["instance_id"]}
    fly, path = systems.http("fly"), f"{_path(systems)}/{machine['id']}"
    fly.request("POST", path, json={"config": target["user_config"]}).raise_for_status()
    fly.get(f"{path}/wait", params=STARTED).raise_for_status()
    return moved


def _moved_back(systems: Systems, moves: list[dict[str, Any]]) -> dict[str, Any]:
    fly = systems.http("fly")
    for move in moves:
        path = f"{_path(systems)}/{move['machine']}"
        kept = _versions(systems, {"id": move["machine"]})
        config = next(v["user_config"] for v in kept if v["version"] == move["was"])
        if fly.get(path).raise_for_status().json()["config"] != config:
            fly.request("POST", path, json={"config": config}).raise_for_status()
            fly.get(f"{path}/wait", params=STARTED).raise_for_status()
    return {"machines": [{"machine": m["machine"], "release": m["from"]} for m in moves]}


def _described(machine: dict[str, Any], target: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine": machine["id"],
        "from": _release(machine["config"]),
        "to": _release(target["user_config"]),
        "image": target["user_config"]["image"],
    }


def _release(config: dict[str, Any]) -> str:
    return str(config.get("metadata", {}).get("release", "unnamed"))


def _number(config: dict[str, Any]) -> int:
    return int(config.get("metadata", {}).get("fly_release_version", 0))


def _path(systems: Systems) -> str:
    return f"/v1/apps/{systems.setting('fly', 'app')}/machines"
