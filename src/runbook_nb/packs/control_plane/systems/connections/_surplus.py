"""Accounts that a newer one replaced."""

from typing import Any

from runbook_nb.packs.control_plane.systems.connections._standing import (
    accounts,
    is_active,
    of_users,
)
from runbook_nb.probes.calls import Systems


def surplus_accounts(systems: Systems) -> list[dict[str, Any]]:
    """Return the active accounts that a newer one of the same upstream account replaced.

    One user may connect two mailboxes; these are no duplicates.
    """
    surplus = []
    for own in of_users(accounts(systems)).values():
        newest: dict[str, str] = {}
        for account in reversed([one for one in own if is_active(one)]):
            upstream = account["state"]["val"].get("account_id") or account["id"]
            if upstream in newest:
                surplus.append(
                    {
                        "id": account["id"],
                        "account": account.get("alias"),
                        "created_at": account["created_at"],
                        "kept": newest[upstream],
                    }
                )
            else:
                newest[upstream] = account["id"]
    return surplus
