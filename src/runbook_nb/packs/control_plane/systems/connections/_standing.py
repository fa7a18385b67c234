"""Where each connection stands: the account at Composio, and our newest row about it.

A row belongs to the accounts of its tenant and toolkit. Where there are several, an active one
counts; without an active one, the newest. A row under way waits for the account of its own link.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems
from runbook_nb.probes.sight import Page, every_page

if TYPE_CHECKING:
    import httpx

API: Final = "/api/v3.1"
# What our rows call a state of Composio's; an account that is gone counts as revoked.
OURS: Final = {
    "INITIALIZING": "initiated",
    "INITIATED": "initiated",
    "ACTIVE": "approved",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "INACTIVE": "expired",
    "REVOKED": "revoked",
}
GONE: Final = "revoked"
# What Composio calls an account that was switched off; one that expired is called so all the same.
SWITCHED_OFF: Final = frozenset({"ACTIVE", "INACTIVE"})

# The newest row of each toolkit of each mission that is not over, and approved ones past their end.
ROWS: Final = """
with newest as (
    select distinct on (c.mission_id, c.toolkit_slug) c.id
    from mission_connections c
    join missions m on m.id = c.mission_id and m.status not in ('completed', 'archived')
    order by c.mission_id, c.toolkit_slug, c.requested_at desc, c.id
)
select c.id::text, c.mission_id::text, m.tenant_id::text as user_id, c.toolkit_slug as toolkit,
       c.metadata ->> 'account_alias' as account, c.status::text, c.connect_link_id,
       c.requested_scopes, c.granted_scopes, c.approved_at, c.expires_at,
       c.metadata ->> 'connected_account' as link_account,
       m.status::text as mission_status, m.current_stage::text as stage,
       m.status in ('completed', 'archived') as mission_over,
       c.status = 'approved' and c.expires_at < now() as past_expiry,
       c.status = 'approved' and c.expires_at < now() + interval '24 hours' as ends_soon,
       c.status = 'approved' and not c.granted_scopes @> c.requested_scopes as lacks_scopes
from mission_connections c
join missions m on m.id = c.mission_id
where c.id in (select id from newest)
   or (c.status = 'approved' and c.expires_at < now())
order by m.tenant_id, c.toolkit_slug, c.requested_at
"""


@dataclass(frozen=True, kw_only=True)
class AccountState:
    """One row and the account behind it; ``word`` is Composio's state in our words."""

    row: dict[str, Any]
    word: str
    account: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """The tenant and the toolkit: what one consent is given for."""
        return self.row["user_id"], self.row["toolkit"]

    @property
    def open(self) -> bool:
        """Whether the row's mission is not over."""
        return not self.row["mission_over"]

    @property
    def differs(self) -> bool:
        """Whether our row says something else than Composio; a link under way is no consent yet."""
        under_way = self.row["status"] == "initiated"
        return self.open and not (self.disabled or under_way) and self.row["status"] != self.word

    @property
    def disabled(self) -> bool:
        """Whether somebody switched off at Composio an account whose consent still holds."""
        switched_off = bool(self.account.get("is_disabled"))
        return switched_off and self.account.get("status") in SWITCHED_OFF

    @property
    def refreshed_at(self) -> datetime:
        """When Composio last refreshed the account's token."""
        return datetime.fromisoformat(self.account["updated_at"])

    def shown(self) -> dict[str, Any]:
        """Return what a responder needs of it."""
        return {
            "id": self.row["id"],
            "account": self.row["account"],
            "our row": self.row["status"],
            "Composio": "DISABLED" if self.disabled else self.account.get("status", "no account"),
            "reason": self.account.get("status_reason"),
            "mission": self.row["mission_id"],
            "stage": self.row["stage"],
        }


def accounts(systems: Systems) -> list[dict[str, Any]]:
    """Return every connected account, the oldest first, all pages of the list.

    Raises NoAnswerError when Composio answers anything but a list, or shows not all of it.
    """

    def fetch(after: str | None) -> Page:
        params = {"limit": "100", **({"cursor": after} if after else {})}
        body = _body(systems.http("composio").get(f"{API}/connected_accounts", params=params))
        after = body.get("next_cursor") or None
        return Page(items=body["items"], after=after, total=body.get("total_items"))

    found = every_page(fetch, what="accounts at Composio")
    return sorted(found, key=lambda account: str(account["created_at"]))


def of_users(found: Iterable[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return accounts by user and toolkit."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for account in found:
        grouped[account["user_id"], account["toolkit"]["slug"]].append(account)
    return grouped


def is_active(account: dict[str, Any]) -> bool:
    """Tell whether an account can be used."""
    return account["status"] == "ACTIVE" and not account["is_disabled"]


def standings(systems: Systems) -> list[AccountState]:
    """Return the standing of every row that matters."""
    grouped = of_users(accounts(systems))
    found = []
    for row in systems.database().rows(ROWS):
        own = grouped.get((row["user_id"], row["toolkit"]), [])
        account = _behind(row, own)
        word = OURS.get(account.get("status", ""), GONE)
        disabled = account.get("is_disabled") and word == "approved"
        found.append(AccountState(row=row, word="expired" if disabled else word, account=account))
    return found


def _body(answer: "httpx.Response") -> dict[str, Any]:
    """Return a page of the list; an outage tells nothing about anybody's consent."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code != HTTPStatus.OK or kind != "application/json":
        message = (
            f"Composio answered HTTP {answer.status_code} ({kind or 'no content type'}) instead of "
            "its accounts, so nothing is known of them."
        )
        raise NoAnswerError(message)
    body: dict[str, Any] = answer.json()
    return body


def _behind(row: dict[str, Any], own: list[dict[str, Any]]) -> dict[str, Any]:
    """Choose the account that a row speaks of; empty when there is none."""
    linked = [account for account in own if account["id"] == row["link_account"]]
    if row["status"] == "initiated" and linked:
        return linked[0]
    usable = [account for account in own if is_active(account)]
    return (usable or own or [{}])[-1]
