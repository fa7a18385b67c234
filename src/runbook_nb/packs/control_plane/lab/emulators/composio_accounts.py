"""Composio's connected accounts in the lab: their states, and the customers who follow links."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from runbook_nb.packs.control_plane.lab.emulators.composio_auth_configs import (
    AuthConfigs,
    auth_config_id,
    zulu,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_consents import Customers
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES

TOOLKITS = {toolkit.slug: toolkit for theme in THEMES for toolkit in theme.toolkits}
# Hosted links live 10 minutes.
LINK_LIVES = timedelta(minutes=10)
_REFRESHED_EVERY = timedelta(minutes=30)

# One account for each tenant and toolkit that holds an approved connection.
CONNECTED = """
select distinct on (m.tenant_id, c.toolkit_slug)
    m.tenant_id::text as user_id,
    c.toolkit_slug as toolkit,
    c.metadata ->> 'account_alias' as alias,
    c.granted_scopes as scopes,
    c.approved_at as created_at
from mission_connections c
join missions m on m.id = c.mission_id
where c.status = 'approved'
order by m.tenant_id, c.toolkit_slug, c.requested_at desc
"""


class AccountState(StrEnum):
    """The states of a connected account that the emulator brings about."""

    INITIATED = "INITIATED"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    INACTIVE = "INACTIVE"
    REVOKED = "REVOKED"


@dataclass(kw_only=True)
class ConnectedAccount:
    """One connected account; ``upstream`` is the mailbox or workspace behind it."""

    id: str
    user_id: str
    toolkit: str
    alias: str
    scopes: tuple[str, ...]
    created_at: datetime
    upstream: str
    state: AccountState = AccountState.ACTIVE
    reason: str | None = None
    disabled: bool = False
    changed_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def enter(self, state: AccountState, reason: str | None = None) -> None:
        """Change the state now."""
        self.state, self.reason, self.changed_at = state, reason, datetime.now(UTC)

    def as_json(self) -> dict[str, Any]:
        """Return the account as Composio shows it; tokens are never shown."""
        val = {
            "status": self.state.value,
            "scope": list(self.scopes),
            "account_id": self.upstream,
            **(
                {"redirectUrl": f"https://accounts.example/{self.toolkit}"} if self.is_begun else {}
            ),
        }
        return {
            "id": self.id,
            "alias": self.alias,
            "user_id": self.user_id,
            "status": self.state.value,
            "status_reason": self.reason,
            "is_disabled": self.disabled,
            "toolkit": {"slug": self.toolkit},
            "auth_config": {
                "id": auth_config_id(self.toolkit),
                "auth_scheme": "OAUTH2",
                "is_composio_managed": False,
                "is_disabled": False,
            },
            "state": {"authScheme": "OAUTH2", "val": val},
            "data": {},
            "params": {},
            "created_at": zulu(self.created_at),
            "updated_at": zulu(self._updated_at),
        }

    @property
    def is_begun(self) -> bool:
        """Whether the account still waits for its customer."""
        return self.state is AccountState.INITIATED

    def consented(self) -> None:
        """Become active."""
        self.enter(AccountState.ACTIVE)

    def refused(self, reason: str) -> None:
        """Fail for this reason."""
        self.enter(AccountState.FAILED, reason)

    @property
    def _updated_at(self) -> datetime:
        """An active account changes with each refresh of its token; any other one stays."""
        if self.state is not AccountState.ACTIVE:
            return self.changed_at
        now = datetime.now(UTC)
        return max(self.changed_at, now - (now - self.created_at) % _REFRESHED_EVERY)


class Accounts:
    """All accounts of the project, and the customers who follow links."""

    def __init__(self) -> None:
        self._by_id: dict[str, ConnectedAccount] = {}
        self.configs = AuthConfigs()
        self.customers = Customers(self.configs, is_there=self._by_id.__contains__)

    def connect(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Make the accounts that the platform's rows speak of."""
        for row in rows:
            account = ConnectedAccount(
                id=f"ca_{secrets.token_hex(6)}",
                user_id=row["user_id"],
                toolkit=row["toolkit"],
                alias=row["alias"],
                scopes=tuple(row["scopes"]),
                created_at=row["created_at"],
                upstream=f"{row['alias']}@upstream",
            )
            account.changed_at = account.created_at
            self._by_id[account.id] = account

    def all(self) -> list[ConnectedAccount]:
        """Return every account, the oldest first; links that nobody followed have expired."""
        for account in self._by_id.values():
            overdue = datetime.now(UTC) - account.changed_at > LINK_LIVES
            if account.state is AccountState.INITIATED and overdue:
                account.enter(
                    AccountState.EXPIRED, "Connection initiation did not complete within 10 minutes"
                )
        return sorted(self._by_id.values(), key=lambda account: account.created_at)

    def get(self, account_id: str) -> ConnectedAccount | None:
        """Return one account."""
        return next((account for account in self.all() if account.id == account_id), None)

    def of(self, user_id: str, toolkit: str) -> list[ConnectedAccount]:
        """Return a user's accounts of a toolkit, the newest last."""
        return [one for one in self.all() if (one.user_id, one.toolkit) == (user_id, toolkit)]

    def count(self, toolkit: str) -> int:
        """Count the accounts of a toolkit."""
        return sum(account.toolkit == toolkit for account in self.all())

    def delete(self, account: ConnectedAccount) -> None:
        """Forget an account; the consent at the provider stays."""
        self._by_id.pop(account.id, None)

    def link(self, *, user_id: str, toolkit: str, callback_url: str = "") -> ConnectedAccount:
        """Begin a new account; a customer follows its link a moment later."""
        account = self._begun(
            user_id=user_id, toolkit=toolkit, account_id=f"ca_{secrets.token_hex(6)}"
        )
        if callback_url:
            # Who comes back to us is a mission's owner, with an account of their own.
            account.upstream = f"{account.id}@upstream"
        self.customers.follow(account, self.configs.of(toolkit), callback_url=callback_url)
        return account

    def begun(self, **link: Any) -> None:
        """Have a link that was made earlier and what came of it: its state, and why."""
        account = self._begun(
            user_id=link["user_id"], toolkit=link["toolkit"], account_id=link["id"]
        )
        account.upstream = f"{account.id}@upstream"
        account.created_at -= timedelta(seconds=link["age_s"])
        account.scopes = tuple(link.get("scopes", ()))
        account.enter(AccountState(link["state"]), link.get("reason"))
        account.changed_at = account.created_at

    def _begun(self, *, user_id: str, toolkit: str, account_id: str) -> ConnectedAccount:
        before = self.of(user_id, toolkit)
        alias = before[-1].alias if before else f"{user_id[:8]}-{toolkit}"
        account = ConnectedAccount(
            id=account_id,
            user_id=user_id,
            toolkit=toolkit,
            alias=alias,
            scopes=(),
            created_at=datetime.now(UTC),
            upstream=before[-1].upstream if before else f"{alias}@upstream",
            state=AccountState.INITIATED,
        )
        self._by_id[account.id] = account
        return account
