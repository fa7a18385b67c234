"""Auth configs that customers cannot connect with: disabled, a wrong redirect, too few scopes.

What is right is the team's own: the redirect of the settings, which the providers' apps know, and
the scopes that the platform asks for. A config that differs and works is nobody's trouble.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runbook_nb.packs.control_plane.systems._composio_lists import listed
from runbook_nb.packs.control_plane.systems.connect_links._queries import ASKED, SHORT
from runbook_nb.probes.calls import Systems


@dataclass(frozen=True, kw_only=True)
class WrongConfig:
    """An auth config with what it should be; ``change`` holds the credentials that differ."""

    id: str
    toolkit: str
    was: dict[str, Any]
    enable: bool
    change: dict[str, Any]

    def shown(self) -> dict[str, Any]:
        """Return what is wrong with it, and what is right."""
        return {
            "auth config": self.id,
            "toolkit": self.toolkit,
            "status": self.was["status"],
            "is": {name: self.was["credentials"].get(name) for name in self.change},
            "should be": self.change or {"status": "ENABLED"},
            "changed": self.was.get("last_updated_at"),
        }


def judged(
    systems: Systems,
    unfinished: Iterable[dict[str, Any]],
    accounts: list[dict[str, Any]],
    *,
    window: timedelta,
) -> tuple[dict[str, WrongConfig], dict[str, datetime]]:
    """Return the configs that stop customers, and when each config was changed, by toolkit."""
    asked = {one["toolkit"]: one["scopes"] for one in systems.database().rows(ASKED)}
    short = {one["toolkit"] for one in systems.database().rows(SHORT, window=window)}
    failing = {row["toolkit"] for row in unfinished}
    wrong, changed = {}, {}
    for config in listed(systems, "auth_configs"):
        toolkit = config["toolkit"]["slug"]
        if at := config.get("last_updated_at"):
            changed[toolkit] = _at(at)
        found = _differing(systems, config, asked.get(toolkit, []))
        if found and toolkit in failing | short and not _works(config, asked, accounts):
            wrong[toolkit] = found
    return wrong, changed


def _differing(systems: Systems, config: dict[str, Any], asked: list[str]) -> WrongConfig | None:
    credentials = config.get("credentials") or {}
    change: dict[str, Any] = {}
    if redirect := credentials.get("oauth_redirect_uri"):
        right = systems.setting("composio", "redirect_uri")
        change |= {} if redirect == right else {"oauth_redirect_uri": right}
    given = credentials.get("scopes")
    scopes = given.replace(",", " ").split() if isinstance(given, str) else given
    if scopes is not None and (missing := [one for one in asked if one not in scopes]):
        change["scopes"] = [*scopes, *missing]
    disabled = config["status"] == "DISABLED"
    if not (disabled or change):
        return None
    return WrongConfig(
        id=config["id"],
        toolkit=config["toolkit"]["slug"],
        was=config,
        enable=disabled,
        change=change,
    )


def _works(
    config: dict[str, Any], asked: dict[str, list[str]], accounts: list[dict[str, Any]]
) -> bool:
    """Tell whether somebody connected with the config as it is now, with all that is asked for."""
    wanted = asked.get(config["toolkit"]["slug"], [])
    since = _at(config.get("last_updated_at") or config["created_at"])
    return config["status"] == "ENABLED" and any(
        account["auth_config"]["id"] == config["id"]
        and account["status"] == "ACTIVE"
        and _at(account["created_at"]) > since
        and set(wanted) <= set(scopes_of(account))
        for account in accounts
    )


def scopes_of(account: dict[str, Any]) -> list[str]:
    """Return the scopes that an account was granted."""
    granted = account["state"]["val"].get("scope") or []
    return granted.replace(",", " ").split() if isinstance(granted, str) else list(granted)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
