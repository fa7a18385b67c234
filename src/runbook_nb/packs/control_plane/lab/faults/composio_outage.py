"""Faults of Composio itself: down, unreadable, in part, without its catalogue, back again."""

from datetime import timedelta

from runbook_nb.packs.control_plane.lab.faults.composio_hands import (
    heal_composio,
    let_time_pass,
    park_all,
    run_plays,
    users,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import (
    API,
    break_composio,
    composio,
    provide,
)
from runbook_nb.packs.control_plane.lab.faults.outside import (
    fly,
    release,
    restore_agent,
    restore_live_sessions,
    superuser,
)
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_HTML = {"content-type": "text/html"}
_DOWN = "<html><head><title>503 Service Temporarily Unavailable</title></head></html>"
_SIGN_IN = "<html><head><title>Sign in to continue</title></head></html>"
_NO_TOOLKITS = (
    '{"items": [], "next_cursor": null, "total_items": 0, "total_pages": 0, "current_page": 1}'
)
# A name that no server of names knows, as the standard keeps it free for.
_NOWHERE = "https://backend.composio.invalid"
_PLAY = 5


def take_down(lab: LabState) -> None:
    """Have Composio answer 503 to everybody; four plays of the agent meet it and wait."""
    break_composio(lab, status=503, headers=_HTML, body=_DOWN)
    run_plays(lab, dict.fromkeys(_in_use(lab)[:4], _PLAY))


def answer_wrongly(lab: LabState) -> None:
    """Have a page of HTML come back with HTTP 200 for every request."""
    break_composio(lab, status=200, headers=_HTML, body=_SIGN_IN)
    run_plays(lab, dict.fromkeys(_in_use(lab)[:4], _PLAY))


def lose_catalogue(lab: LabState) -> None:
    """Have the catalogue come back empty, with HTTP 200; tools still run."""
    json = {"content-type": "application/json"}
    break_composio(lab, path=f"{API}/toolkits", status=200, headers=json, body=_NO_TOOLKITS)


def fail_one_toolkit(lab: LabState) -> None:
    """Have one toolkit's tools answer 502 while all others run."""
    first, *others = _in_use(lab)
    break_composio(
        lab, path=f"{API}/tools/execute/{first.upper()}_", status=502, body="bad gateway"
    )
    run_plays(lab, {first: _PLAY, **dict.fromkeys(others[:3], 3)})


def come_back(lab: LabState) -> None:
    """Have Composio be well again after an outage that lost answers; all missions are parked.

    The first call of each play was executed, and nobody heard of it.
    """
    execute = f"{API}/tools/execute/"
    toolkits = _in_use(lab)[:3]
    for toolkit in toolkits:
        break_composio(lab, path=f"{execute}{toolkit.upper()}_", lost=True, times=1)
    break_composio(lab, path=execute, status=503, body="")
    run_plays(lab, dict.fromkeys(toolkits, 4))
    let_time_pass(lab, by=timedelta(minutes=25))
    park_all(lab)
    with composio(lab) as client:
        client.delete(OUTAGE).raise_for_status()


def look_elsewhere(lab: LabState) -> None:
    """Release the agent with an address of Composio that no server of names knows."""
    config = release(lab)
    with fly(lab) as api:
        for machine in api.get("/machines").json():
            wanted = {**config, "env": {**config["env"], "COMPOSIO_URL": _NOWHERE}}
            api.post(f"/machines/{machine['id']}", json={"config": wanted})
    restore_live_sessions(lab, anew=True)
    run_plays(lab, dict.fromkeys(_in_use(lab)[:3], _PLAY))


def refuse_key(lab: LabState) -> None:
    """Have Composio take our key no more."""
    with composio(lab) as client:
        key = read_secret(lab.folder, "composio.token")
        client.post(f"{API}/api_key_revocation", json={"api_keys": [key]}).raise_for_status()
    run_plays(lab, dict.fromkeys(_in_use(lab)[:3], _PLAY))


def use_limit_up(lab: LabState) -> None:
    """Have others of the organisation use up each minute's requests."""
    provide(lab, others=2_001)


def heal(lab: LabState) -> None:
    """Have all be as it was."""
    restore_agent(lab)
    heal_composio(lab)


def _in_use(lab: LabState) -> list[str]:
    """Return the toolkits in use, those first that change what they are called on."""
    with superuser(lab) as connection:
        found = users(connection)
    return sorted(found, key=lambda toolkit: (toolkit == "warehouse", toolkit))


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        ("composio_away", "Composio answers 503 to everybody", take_down),
        ("composio_page", "Composio answers with a page of HTML and HTTP 200", answer_wrongly),
        ("catalogue_empty", "Composio's catalogue is empty, and its tools run", lose_catalogue),
        ("toolkit_away", "One toolkit answers 502, and all others run", fail_one_toolkit),
        ("composio_back", "Composio is back, and all missions are parked", come_back),
        ("agent_elsewhere", "A release of the agent looks for Composio elsewhere", look_elsewhere),
        ("limit_used_up", "Others use up Composio's limit of every minute", use_limit_up),
        ("key_refused", "Composio takes our key no more", refuse_key),
    )
)
