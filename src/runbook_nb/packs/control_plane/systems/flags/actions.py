"""How a flag is turned off."""

from datetime import timedelta
from typing import Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._fly import agent_machines, configure
from runbook_nb.packs.control_plane.systems.flags._store import (
    failing_flags,
    store_of,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

TURN: Final = """
update feature_flags
set enabled = %(enabled)s
where flag_name = any(%(flags)s::text[])
  and enabled is distinct from %(enabled)s
returning flag_name, enabled
"""


@action(timeout_s=90, repeatable=True, contained=True)
def turn_off(systems: Systems, *, above: float, window: timedelta) -> Json:
    """Turn off the flags behind which more than ``above`` percent of the events are errors."""
    flags = _failing(systems, above, window)
    return {"turned off": _turn(systems, flags, on=False)}


@turn_off.rehearsal
def _(systems: Systems, *, above: float, window: timedelta) -> Json:
    flags = _failing(systems, above, window)
    if store_of(systems) != "table":
        return {"would turn off": flags, "on machines": [m["id"] for m in agent_machines(systems)]}
    with systems.database().transaction(rollback=True):
        return {"would turn off": _turn(systems, flags, on=False)}


@turn_off.undo
def _(systems: Systems, result: Json, *, above: float, window: timedelta) -> Json:  # noqa: ARG001
    return {"turned on": _turn(systems, result["turned off"], on=True)}


def _failing(systems: Systems, above: float, window: timedelta) -> list[str]:
    """Return the flags to turn off; raises NothingDoneError where no flag is to blame."""
    failing = failing_flags(systems, window)
    flags = [share["flag"] for share in failing if share["error_percent"] > above]
    if not flags:
        message = (
            f"Behind no flag are more than {above:g} % errors, or as many come without it: turning "
            "one off would take a feature away and mend nothing."
        )
        raise NothingDoneError(message)
    return flags


def _turn(systems: Systems, flags: list[str], *, on: bool) -> list[str]:
    """Set the flags where they are kept; return those that changed."""
    if store_of(systems) == "table":
        with systems.database().transaction():
            rows = systems.database().rows(TURN, flags=flags, enabled=on)
        return [row["flag_name"] for row in rows]
    wanted = dict.fromkeys(flags, "true" if on else "false")
    before = configure(systems, wanted, names=flags)
    return sorted({name for was in before.values() for name in flags if was[name] != wanted[name]})
