"""How broken links are made good: sent anew, recorded, and their auth configs restored."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._composio_lists import API, listed
from runbook_nb.packs.control_plane.systems.connect_links._attempts import (
    Attempt,
    Cause,
    caused_by,
    require_told,
    wrong,
)
from runbook_nb.packs.control_plane.systems.connect_links._configs import WrongConfig
from runbook_nb.packs.control_plane.systems.connect_links._rows import (
    FORGET,
    RESUME,
    SENT,
    UNRECORD,
    begin,
    new_state,
    record_all,
)
from runbook_nb.packs.control_plane.systems.connect_links.probes import CALLBACK
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json

# A customer who was refused has decided, and a link with a wrong config would break again.
SENT_ANEW: Final = (Cause.NEVER_MADE, Cause.LEFT, Cause.POPUP, Cause.STATE)


@action(timeout_s=120, contained=True)
def send_anew(systems: Systems, *, window: timedelta) -> Json:
    """Make a new link for each attempt that broke on our side, and begin its row anew.

    The former rows become expired. The links live 10 minutes and come back to our callback;
    somebody must hand them to the customers. Returns each link.
    """
    broken = _broken(systems, window)
    configs = _configs(systems, {one.row["toolkit"] for one in broken})
    return {"links": [_send(systems, one, configs[one.row["toolkit"]]) for one in broken]}


@send_anew.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    would = []
    for one in _broken(systems, window):
        with systems.database().transaction(rollback=True):
            rows = begin(systems, one, link="rehearsal", account="rehearsal", state="rehearsal")
        would.append({**_whose(one), "rows given up": rows["rows given up"]})
    return {"links": would}


@send_anew.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    kept, gone = [], []
    for link in result["links"]:
        with systems.database().transaction():
            forgotten = systems.database().rows(FORGET, rows=[link["row begun"]])
            if not forgotten:
                # Its customer has followed it meanwhile; that consent stays.
                kept.append(link["row begun"])
                continue
            systems.database().rows(RESUME, rows=link["rows given up"])
        path = f"{API}/connected_accounts/{link['new account']}"
        systems.http("composio").request("DELETE", path).raise_for_status()
        gone.append(link["row begun"])
    return {"links taken back": gone, "followed meanwhile": kept}


@send_anew.settling
def _(systems: Systems, attempt: str, *, window: timedelta) -> bool | None:
    if not systems.database().value(SENT, attempt=attempt):
        return False
    return None if _broken(systems, window) else True


@action(timeout_s=60, repeatable=True, contained=True)
def record(systems: Systems, *, window: timedelta) -> Json:
    """Record the consents that customers gave at Composio and that never came back to us.

    A consent whose state did not match is left alone: it may be another person's. One transaction.
    """
    found = _lost(systems, window)
    with systems.database().transaction():
        return {"rows approved": record_all(systems, found)}


@record.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    found = _lost(systems, window)
    with systems.database().transaction(rollback=True):
        return {"rows approved": record_all(systems, found)}


@record.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    restored = []
    with systems.database().transaction():
        for row in result["rows approved"]:
            restored += systems.database().rows(UNRECORD, row=row["id"], was=row["was"])
    return {"rows as before": restored}


@action(timeout_s=60, repeatable=True, contained=True)
def restore_configs(systems: Systems, *, window: timedelta) -> Json:
    """Give each auth config that stops customers its redirect, its scopes and its status back.

    Raises NothingDoneError when more than half of all configs differ: then the settings are more
    likely to be out of date than the configs.
    """
    return {"restored": [_restored(systems, one) for one in _restorable(systems, window)]}


@restore_configs.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    return {"would restore": [one.shown() for one in _restorable(systems, window)]}


@restore_configs.undo
def _(systems: Systems, result: Json, *, window: timedelta) -> Json:  # noqa: ARG001
    for one in result["restored"]:
        if one["changed"]:
            _patch(systems, one["auth config"], json={"type": "custom", "credentials": one["was"]})
        if one["enabled"]:
            _patch(systems, f"{one['auth config']}/DISABLED")
    return {"as before": [one["auth config"] for one in result["restored"]]}


def _broken(systems: Systems, window: timedelta) -> list[Attempt]:
    return caused_by(systems, *SENT_ANEW, window=window)


def _lost(systems: Systems, window: timedelta) -> list[Attempt]:
    require_told(systems, window=window)
    return caused_by(systems, Cause.CALLBACK, window=window)


def _whose(one: Attempt) -> dict[str, Any]:
    return {
        "mission": one.row["mission_id"],
        "tenant": one.row["tenant"],
        "toolkit": one.row["toolkit"],
        "because": one.cause,
    }


def _send(systems: Systems, one: Attempt, config: str) -> dict[str, Any]:
    """Make one link at Composio and its row here; a link without a row dies in 10 minutes."""
    state = new_state()
    body = {
        "auth_config_id": config,
        "user_id": one.row["user_id"],
        "callback_url": f"{systems.setting('edge', 'url')}{CALLBACK}?state={state}",
    }
    sent = systems.http("composio").request("POST", f"{API}/connected_accounts/link", json=body)
    link = sent.raise_for_status().json()
    account = link["connected_account_id"]
    with systems.database().transaction():
        rows = begin(systems, one, link=link["link_token"], account=account, state=state)
    return {
        **_whose(one),
        "link for the customer": link["redirect_url"],
        "valid until": link["expires_at"],
        "new account": account,
        **rows,
    }


def _configs(systems: Systems, toolkits: set[str]) -> dict[str, str]:
    """Return the enabled auth config of each toolkit; raises NothingDoneError without one."""
    enabled = {
        config["toolkit"]["slug"]: str(config["id"])
        for config in listed(systems, "auth_configs")
        if config["status"] == "ENABLED"
    }
    if missing := toolkits - enabled.keys():
        message = f"Composio has no enabled auth config for {', '.join(sorted(missing))}."
        raise NothingDoneError(message)
    return enabled


def _restorable(systems: Systems, window: timedelta) -> list[WrongConfig]:
    found, every = wrong(systems, window=window), listed(systems, "auth_configs")
    if 2 * len(found) > len(every):
        message = (
            f"{len(found)} of {len(every)} auth configs differ from the settings. Look at "
            "composio.redirect_uri first; nothing was changed."
        )
        raise NothingDoneError(message)
    return found


def _restored(systems: Systems, one: WrongConfig) -> dict[str, Any]:
    if one.change:
        _patch(systems, one.id, json={"type": "custom", "credentials": one.change})
    if one.enable:
        _patch(systems, f"{one.id}/ENABLED")
    return {
        "auth config": one.id,
        "toolkit": one.toolkit,
        "was": {name: one.was["credentials"].get(name) for name in one.change},
        "changed": one.change,
        "enabled": one.enable,
    }


def _patch(systems: Systems, path: str, *, json: Json = None) -> None:
    answer = systems.http("composio").request("PATCH", f"{API}/auth_configs/{path}", json=json)
    answer.raise_for_status()
