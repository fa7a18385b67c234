"""The attempts of customers to connect a toolkit, each with the one cause why it did not end."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio_lists import listed
from runbook_nb.packs.control_plane.systems.connect_links._configs import WrongConfig, judged
from runbook_nb.packs.control_plane.systems.connect_links._queries import (
    SURFACED,
    TOLD,
    UNFINISHED,
)
from runbook_nb.probes.calls import Systems

# A callback follows the consent within seconds, and a link its request within 2 s.
SETTLES_WITHIN: Final = timedelta(minutes=2)
# Hosted links live 10 minutes.
LINK_LIVES: Final = timedelta(minutes=10)
# Alert table: a Connect Link that is initiated for more than 30 minutes is stuck.
STUCK_AFTER: Final = timedelta(minutes=30)


class Cause(StrEnum):
    """Where an attempt broke."""

    UNDER_WAY = "under way"
    NEVER_MADE = "never made"
    WRONG_CONFIG = "wrong auth config"
    POPUP = "popup blocked"
    STATE = "state mismatch"
    CALLBACK = "callback lost"
    REFUSED = "refused by the provider"
    LEFT = "left open"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One mission's newest link for a toolkit, with the account behind it."""

    row: dict[str, Any]
    account: dict[str, Any]
    codes: frozenset[str]
    config: WrongConfig | None
    outdated: bool

    @property
    def cause(self) -> Cause:
        """The first cause that there is proof of, from the link's end to its beginning."""
        age: timedelta = self.row["age"]
        state, linked = self.account.get("status"), self.row["id"] is not None
        signs = (
            (state == "ACTIVE" and "state_mismatch" in self.codes, Cause.STATE),
            (state == "ACTIVE" and age > SETTLES_WITHIN, Cause.CALLBACK),
            (state == "ACTIVE", Cause.UNDER_WAY),
            (not linked and not self.config, Cause.NEVER_MADE),
            ("popup_blocked" in self.codes, Cause.POPUP),
            (self.config is not None, Cause.WRONG_CONFIG),
            (self.outdated and (state == "FAILED" or age > LINK_LIVES), Cause.LEFT),
            (state == "FAILED", Cause.REFUSED),
            (age > STUCK_AFTER, Cause.LEFT),
        )
        return next((cause for holds, cause in signs if holds), Cause.UNDER_WAY)

    def shown(self) -> dict[str, Any]:
        """Return what a responder needs of it."""
        return {
            "mission": self.row["mission_id"],
            "tenant": self.row["tenant"],
            "toolkit": self.row["toolkit"],
            "age_min": round(self.row["age"].total_seconds() / 60),
            "our row": self.row["status"] or "none",
            "Composio": self.account.get("status", "no account"),
            "reason": self.account.get("status_reason"),
            "the browser told": ", ".join(sorted(self.codes)) or None,
        }


def attempts(systems: Systems, *, window: timedelta) -> list[Attempt]:
    """Return the attempts of the window that did not end, the oldest first."""
    database = systems.database()
    rows = database.rows(UNFINISHED, window=window, settles=SETTLES_WITHIN)
    accounts = {one["id"]: one for one in listed(systems, "connected_accounts")}
    wrong, changed = judged(systems, rows, list(accounts.values()), window=window)
    codes: dict[str | None, set[str]] = defaultdict(set)
    for one in database.rows(SURFACED, window=window):
        codes[one["link"]].add(one["code"])
    # Without a link nobody knows which attempt was told of.
    codes.pop(None, None)
    found = []
    for row in rows:
        account = accounts.get(row["account"], {})
        at = account.get("created_at")
        change = changed.get(row["toolkit"])
        found.append(
            Attempt(
                row=row,
                account=account,
                codes=frozenset(codes[row["connect_link_id"]]),
                config=wrong.get(row["toolkit"]),
                outdated=bool(at and change and datetime.fromisoformat(at) < change),
            )
        )
    return found


def caused_by(systems: Systems, *causes: Cause, window: timedelta) -> list[Attempt]:
    """Return the attempts that broke for one of these causes."""
    return [one for one in attempts(systems, window=window) if one.cause in causes]


def require_told(systems: Systems, *, window: timedelta) -> None:
    """Raise NoAnswerError when links were made and no event of the flow arrived at all."""
    told = systems.database().row(TOLD, window=window)
    if told["links"] and not told["events"]:
        message = (
            f"{told['links']} links were made and no composio_auth_flow event arrived, so nothing "
            "is known of what browsers told. See telemetry_ingestion_stall."
        )
        raise NoAnswerError(message)


def wrong(systems: Systems, *, window: timedelta) -> list[WrongConfig]:
    """Return the auth configs with which customers of the window tried in vain."""
    rows = systems.database().rows(UNFINISHED, window=window, settles=SETTLES_WITHIN)
    found, _ = judged(systems, rows, listed(systems, "connected_accounts"), window=window)
    return [found[toolkit] for toolkit in sorted(found)]
