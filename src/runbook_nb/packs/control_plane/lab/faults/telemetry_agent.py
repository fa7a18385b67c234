"""Faults at the agent: it holds its events back, after one refusal or by its configuration."""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import (
    fly,
    release,
    restore_agent,
    restore_live_sessions,
    superuser,
    until,
)
from runbook_nb.packs.control_plane.lab.faults.response_rows import expire_login, heal_calls
from runbook_nb.packs.control_plane.lab.faults.telemetry_path import (
    let_pass,
    refuse_inserts,
    store_held,
    unseen,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_ALLOW: Final = "SUPABASE_ALLOW_WRITES"
_WITHIN_S: Final = 10.0
_GRANT: Final = "GRANT INSERT ON telemetry_events TO service_role"


def degrade_agent(lab: LabState) -> None:
    """Refuse the agent's events for some seconds: it holds all back from then on."""
    refuse_inserts(lab)
    with superuser(lab) as connection:
        connection.execute(_GRANT)


def degrade_beside_login(lab: LabState) -> None:
    """Degrade the agent while a login runs out as well."""
    expire_login(lab)
    degrade_agent(lab)


def forbid_writes(lab: LabState) -> None:
    """Release the agent with writing off, as its default is."""
    _release(lab, {_ALLOW: "false"})
    with superuser(lab) as connection:
        let_pass(connection)
        until(
            lambda: unseen(connection) > 0,
            within_s=_WITHIN_S,
            otherwise="The agent still stores its events",
        )


def _release(lab: LabState, env: dict[str, Any]) -> None:
    config = release(lab)
    with fly(lab) as api:
        machine = api.get("/machines").json()[0]
        wanted = {**config, "env": {**config["env"], **env}}
        api.post(f"/machines/{machine['id']}", json={"config": wanted})


def heal_agent_buffers(lab: LabState) -> None:
    """Give the right back, have the good release store what is held, and begin anew.

    Beats are counted since an agent claimed its sessions: of the silence none is left to count.
    """
    with superuser(lab) as connection:
        connection.execute(_GRANT)
    restore_agent(lab)
    store_held(lab)
    restore_live_sessions(lab, anew=restore_agent(lab, restart=True))


def _heal_beside_login(lab: LabState) -> None:
    heal_calls(lab)
    heal_agent_buffers(lab)


FAULTS = (
    Fault(
        name="agent_degraded",
        title="The agent holds every event back since one write was refused",
        inject=degrade_agent,
        heal=heal_agent_buffers,
    ),
    Fault(
        name="agent_degraded.beside_login",
        title="The agent holds its events back, and a login has run out as well",
        inject=degrade_beside_login,
        heal=_heal_beside_login,
    ),
    Fault(
        name="writes_off",
        title="A release of the agent left writing off: events stay in its memory",
        inject=forbid_writes,
        heal=heal_agent_buffers,
    ),
)
