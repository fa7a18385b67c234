"""Accounts that a newer one replaced."""

from typing import Any

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems.connections._standing import (
    accounts,
    is_active,
    of_users,
)
from runbook_nb.probes.calls import Systems


def surplus_accounts(
    systems: Systems, every: list[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Return the active accounts that a newer one of the same upstream account replaced.

    One user may connect two mailboxes; these are no duplicates.
    """
    surplus = []
    for own in of_users(accounts(systems) if every is None else every).values():
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


def demand_replaced(surplus: list[dict[str, Any]], every: list[dict[str, Any]]) -> None:
    """Raise NothingDoneError where what is to be revoked is not plainly the rest of something.

    The second sign: the account that stays is active, was made later, and belongs to the same
    user. More than half of all accounts is no surplus, but another reading of them.
    """
    by_id = {account["id"]: account for account in every}
    for one in surplus:
        goes, stays = by_id[one["id"]], by_id[one["kept"]]
        later = stays["created_at"] > goes["created_at"]
        if not (is_active(stays) and later and stays["user_id"] == goes["user_id"]):
            message = (
                f"The account {one['kept']} does not replace {one['id']}. Nothing is revoked; ask "
                "their customer which of the two stays."
            )
            raise NothingDoneError(message)
    active = sum(map(is_active, every))
    if 2 * len(surplus) > active:
        message = (
            f"{len(surplus)} of {active} active accounts would be revoked: that is no surplus. "
            "Nothing is revoked; look at how Composio names the upstream accounts."
        )
        raise NothingDoneError(message)
