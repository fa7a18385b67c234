"""The two steps of a rotation of our key."""

import os
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ActionError, NothingDoneError, SettingMissingError
from runbook_nb.packs.control_plane.systems._fly import agent_machines
from runbook_nb.packs.control_plane.systems.composio_keys._keys import (
    API,
    PATIENCE_S,
    keys_by_age,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.redaction import secrets
from runbook_nb.text.values import Json

# A tool that reads and needs no consent: it proves a key and touches nobody's account.
HARMLESS_TOOL: Final = "WAREHOUSE_QUERY"


@action(timeout_s=180)
def switch(systems: Systems) -> Json:
    """Prove the second key, hand it to the agent, and use it from now on; the first stays valid.

    The agent's machines restart one after the other. Raises NothingDoneError when
    the second key is missing or does not work.
    """
    place, second = _second_key(systems)
    proof = _proof(systems, second)
    before = place.read_text(encoding="utf-8")
    machines = _hand_over(systems, second)
    _write(_beside(place, "previous"), before)
    _write(place, second)
    _beside(place, "next").unlink()
    return {"proof": proof, "machines": machines}


@switch.rehearsal
def _(systems: Systems) -> Json:
    _place, second = _second_key(systems)
    machines = [{"machine": one["id"], "state": one["state"]} for one in agent_machines(systems)]
    return {"proof": _proof(systems, second), "would restart": machines}


@switch.undo
def _(systems: Systems, result: Json) -> Json:  # noqa: ARG001
    place = _place(systems)
    first, second = _beside(place, "previous"), place.read_text(encoding="utf-8")
    if not first.exists():
        message = f"There is no former key in {first}: it was revoked, and that cannot be undone."
        raise NothingDoneError(message)
    before = first.read_text(encoding="utf-8")
    proof = _proof(systems, before)
    # First of all, since from here on the switch is not as it was done, and settles as unknown.
    _write(_beside(place, "next"), second)
    machines = _hand_over(systems, before)
    _write(place, before)
    first.unlink()
    return {"proof": proof, "machines": machines}


@switch.settling
def _(systems: Systems, _attempt: str) -> bool | None:
    # The second key is put away last, and by the undo taken out again first; meanwhile the agent
    # may have either.
    place = _place(systems)
    done = not _beside(place, "next").exists() and _beside(place, "previous").exists()
    return True if done else None


@action(timeout_s=60, repeatable=True, irreversible=True)
def revoke_previous(systems: Systems) -> Json:
    """End the key that was in use before the switch, once the present one is proven again."""
    place = _place(systems)
    previous = _beside(place, "previous")
    if not previous.exists():
        message = (
            f"There is no former key in {previous}: the key was not switched. Switch it first."
        )
        raise ActionError(message)
    proof = _proof(systems, place.read_text(encoding="utf-8").strip())
    former = previous.read_text(encoding="utf-8").strip()
    systems.http("composio").request(
        "POST", f"{API}/api_key_revocation", json={"api_keys": [former]}
    ).raise_for_status()
    if _try(systems, former)["status"] != HTTPStatus.UNAUTHORIZED:
        message = "Composio still takes the former key; revoke it in the project's settings."
        raise ActionError(message)
    previous.unlink()
    return {"proof": proof, "keys now": keys_by_age(systems)}


@revoke_previous.rehearsal
def _(systems: Systems) -> Json:
    return {"would send": f"POST {API}/api_key_revocation", "keys before": keys_by_age(systems)}


def _place(systems: Systems) -> Path:
    """Return the file that holds our key; raises SettingMissingError where it is no file."""
    held = secrets.parse(systems.setting("composio", "token"), of="'token' of 'composio'")
    if held.kind != "file":
        message = (
            f"The key of 'composio' is held in {held}, which cannot be written from here. "
            "Switch it where that comes from, or refer to a file."
        )
        raise SettingMissingError(message)
    return Path(held.place)


def _beside(place: Path, word: str) -> Path:
    return place.with_name(f"{place.name}.{word}")


def _second_key(systems: Systems) -> tuple[Path, str]:
    place = _place(systems)
    second = _beside(place, "next")
    if not second.exists():
        message = (
            f"No second key in {second}. Make one in Composio's project settings, under API Keys, "
            "and put it there; the first key stays valid meanwhile."
        )
        raise NothingDoneError(message)
    return place, second.read_text(encoding="utf-8").strip()


def _write(place: Path, value: str) -> None:
    """Write a secret whole or not at all, readable by us alone."""
    unfinished = _beside(place, "unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value)
    unfinished.replace(place)


def _try(systems: Systems, value: str, *, tool: str = "") -> dict[str, Any]:
    """Send one request with another key than the one in use; the key itself is shown nowhere."""
    import httpx

    method, path = ("POST", f"/tools/execute/{tool}") if tool else ("GET", "/toolkits")
    response = httpx.request(
        method,
        f"{systems.setting('composio', 'url')}{API}{path}",
        headers={"x-api-key": value},
        json={"arguments": {}} if tool else None,
        timeout=PATIENCE_S,
        trust_env=False,
    )
    return {"sent": f"{method} {path}", "status": response.status_code}


def _proof(systems: Systems, value: str) -> list[dict[str, Any]]:
    """Prove a key by a listing and a live tool call; raises NothingDoneError where one is refused.

    Whoever asks has changed nothing yet.
    """
    tried = [_try(systems, value), _try(systems, value, tool=HARMLESS_TOOL)]
    if any(one["status"] != HTTPStatus.OK for one in tried):
        message = f"The other key does not work, nothing was changed: {tried}."
        raise NothingDoneError(message)
    return tried


def _hand_over(systems: Systems, value: str) -> list[str]:
    """Put the key among the agent's secrets and restart its machines, one after the other."""
    fly, app = systems.http("fly"), systems.setting("fly", "app")
    name = systems.setting("composio", "agent_variable")
    values = {"values": {name: value}}
    fly.request("POST", f"/v1/apps/{app}/secrets", json=values).raise_for_status()
    for machine in agent_machines(systems):
        path = f"/v1/apps/{app}/machines/{machine['id']}"
        fly.request("POST", f"{path}/restart").raise_for_status()
        wait = {"state": "started", "timeout": "60"}
        fly.get(f"{path}/wait", params=wait).raise_for_status()
    return [machine["id"] for machine in agent_machines(systems)]
