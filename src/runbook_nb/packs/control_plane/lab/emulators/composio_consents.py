"""The customers of the lab who follow a Connect Link, and what their providers answer them."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

import httpx

from runbook_nb.packs.control_plane.lab.emulators.composio_auth_configs import (
    AuthConfig,
    AuthConfigs,
)

# A customer of the lab follows a link at once; real ones take a minute or never do.
_FOLLOWED_AFTER_S: Final = 1.5
_CALLBACK_WITHIN_S: Final = 5.0
REFUSED: Final = "access_denied: the resource owner or authorization server denied the request"


class Consenting(Protocol):
    """An account whose link a customer follows."""

    id: str
    toolkit: str
    scopes: tuple[str, ...]

    @property
    def is_begun(self) -> bool:
        """Whether it still waits for its customer."""

    def consented(self) -> None:
        """Become active."""

    def refused(self, reason: str) -> None:
        """Fail for this reason."""


class Customers:
    """Those who follow links; by toolkit they may ``leave`` the page, or be ``refused``."""

    def __init__(self, configs: AuthConfigs, *, is_there: Callable[[str], bool]) -> None:
        self.manners: dict[str, str] = {}
        self._configs, self._is_there = configs, is_there
        self._at_work: set[asyncio.Task[None]] = set()

    def follow(self, account: Consenting, config: AuthConfig, *, callback_url: str) -> None:
        """Have a customer follow a link in a moment; Composio then calls us back."""
        customer = asyncio.create_task(self._follow(account, config, callback_url))
        self._at_work.add(customer)
        customer.add_done_callback(self._at_work.discard)

    async def _follow(self, account: Consenting, config: AuthConfig, callback_url: str) -> None:
        await asyncio.sleep(_FOLLOWED_AFTER_S)
        manner = self.manners.get(account.toolkit)
        if not (self._is_there(account.id) and account.is_begun) or manner == "leave":
            return
        # A provider that does not know the redirect shows its own error and sends nobody back.
        if not self._configs.is_taken_back(account.toolkit):
            return
        if manner == "refused":
            account.refused(REFUSED)
        else:
            account.scopes = config.scopes
            account.consented()
        if callback_url:
            await _call_back(callback_url, account, status="failed" if manner else "success")


async def _call_back(url: str, account: Consenting, *, status: str) -> None:
    """Send the customer's browser back to the platform; whatever it meets there is its own."""
    back = httpx.URL(url).copy_merge_params({"status": status, "connected_account_id": account.id})
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=_CALLBACK_WITHIN_S) as browser:
            await browser.get(back)
    except httpx.HTTPError:
        return


def arrange(customers: Customers, configs: AuthConfigs, body: dict[str, Any]) -> None:
    """Take from the lab how customers behave, and which redirects the providers know."""
    customers.manners.update(body.get("customers", {}))
    configs.registered.update(body.get("registered", ()))
