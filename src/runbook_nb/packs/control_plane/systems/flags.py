"""The platform's feature flags, wherever they are kept.

The flags stand in the table ``feature_flags`` where there is one. Without it the only switches are
the three that the code reads from the environment of the agent's machines.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from runbook_nb.probes.calls import Reading, Systems, action, probe
from runbook_nb.text.values import Json

SWITCHES: Final = ("ENABLE_PLANNER_STEP3", "EVAL_MODE", "SUPABASE_ALLOW_WRITES")
# Fewer events are one user's luck.
SAMPLES: Final = 20

HAS_TABLE: Final = "select to_regclass('public.feature_flags') is not null"
ENABLED: Final = "select flag_name from feature_flags where enabled order by flag_name"

SHARE: Final = """
select context ->> 'feature_flag' as flag,
       count(*) as events,
       round(100.0 * count(*) filter (where status = 'error') / count(*), 1)::float
           as error_percent
from telemetry_events
where created_at > now() - %(window)s
  and context ->> 'feature_flag' = any(%(flags)s::text[])
group by flag
having count(*) >= %(samples)s
order by error_percent desc
"""

TURN: Final = """
update feature_flags
set enabled = %(enabled)s
where flag_name = any(%(flags)s::text[])
  and enabled is distinct from %(enabled)s
returning flag_name, enabled
"""


@probe(unit="%")
def error_share(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of errors behind the enabled flag with the most, in percent.

    Events behind a flag name it in ``context.feature_flag``. A flag with fewer than 20 events in
    the window is not judged; with no flag enabled the answer is 0.
    """
    enabled = _enabled(systems)
    shares = _shares(systems, enabled, window)
    return Reading(
        value=shares[0]["error_percent"] if shares else 0.0,
        detail={"store": _store(systems), "enabled": enabled, "behind each": shares},
    )


@action(timeout_s=90, repeatable=True)
def turn_off(systems: Systems, *, above: float, window: timedelta) -> Json:
    """Turn off the flags behind which more than ``above`` percent of the events are errors."""
    flags = _failing(systems, above, window)
    return {"turned off": _turn(systems, flags, on=False)}


@turn_off.rehearsal
def _(systems: Systems, *, above: float, window: timedelta) -> Json:
    flags = _failing(systems, above, window)
    if _store(systems) != "table":
        return {"would turn off": flags, "on machines": [m["id"] for m in _machines(systems)]}
    with systems.database().transaction(rollback=True):
        return {"would turn off": _turn(systems, flags, on=False)}


@turn_off.undo
def _(systems: Systems, result: Json, *, above: float, window: timedelta) -> Json:  # noqa: ARG001
    return {"turned on": _turn(systems, result["turned off"], on=True)}


def _store(systems: Systems) -> str:
    return "table" if systems.database().value(HAS_TABLE) else "environment of the agent"


def _enabled(systems: Systems) -> list[str]:
    if _store(systems) == "table":
        return [row["flag_name"] for row in systems.database().rows(ENABLED)]
    return sorted({name for machine in _machines(systems) for name in _switched_on(machine)})


def _switched_on(machine: dict[str, Any]) -> Iterator[str]:
    environment = machine["config"].get("env", {})
    return (name for name in SWITCHES if environment.get(name, "").lower() in ("1", "true"))


def _shares(systems: Systems, flags: list[str], window: timedelta) -> list[dict[str, Any]]:
    return systems.database().rows(SHARE, window=window, flags=flags, samples=SAMPLES)


def _failing(systems: Systems, above: float, window: timedelta) -> list[str]:
    shares = _shares(systems, _enabled(systems), window)
    return [share["flag"] for share in shares if share["error_percent"] > above]


def _turn(systems: Systems, flags: list[str], *, on: bool) -> list[str]:
    """Set the flags where they are kept; return those that changed."""
    if _store(systems) == "table":
        with systems.database().transaction():
            rows = systems.database().rows(TURN, flags=flags, enabled=on)
        return [row["flag_name"] for row in rows]
    changed = set()
    for machine in _machines(systems):
        before = machine["config"].get("env", {})
        wanted = {**before, **dict.fromkeys(flags, "true" if on else "false")}
        changed |= {name for name in flags if before.get(name) != wanted[name]}
        if wanted != before:
            _configure(systems, machine, wanted)
    return sorted(changed)


def _configure(systems: Systems, machine: dict[str, Any], environment: dict[str, str]) -> None:
    fly, path = systems.http("fly"), f"{_path(systems)}/{machine['id']}"
    config = {**machine["config"], "env": environment}
    fly.request("POST", path, json={"config": config}).raise_for_status()
    wait = {"state": "started", "timeout": "60"}
    fly.get(f"{path}/wait", params=wait).raise_for_status()


def _machines(systems: Systems) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = systems.http("fly").get(_path(systems)).raise_for_status().json()
    return found


def _path(systems: Systems) -> str:
    return f"/v1/apps/{systems.setting('fly', 'app')}/machines"
