"""Executing a tool at Composio: which tools there are, and for whom they may run."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import (
    TOOLKITS,
    Accounts,
    AccountState,
    ConnectedAccount,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_errors import (
    error,
    successful,
    unsuccessful,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_records import CHANGES, READS, Records
from runbook_nb.packs.control_plane.lab.emulators.composio_volumes import Volumes

_EXPORT = "WAREHOUSE_EXPORT"
_ROWS_A_SECOND = 100_000
_LONGEST_EXPORT_S = 30.0
# An ordinary tool call; real ones take longer, and no drill is about that.
_ORDINARY_S = 0.02

_ANSWERS: Mapping[str, Mapping[str, object]] = {
    **{action: {} for toolkit in TOOLKITS.values() for action in toolkit.actions},
    _EXPORT: {"format": "csv"},
    "SLACK_SEND_MESSAGE": {"ok": True},
    "HUBSPOT_LIST_CONTACTS": {"results": []},
    "GITHUB_CREATE_AN_ISSUE": {"state": "open"},
    "GMAIL_SEND_EMAIL": {"labelIds": ["SENT"]},
    **{slug: {} for slug in READS | CHANGES},
}


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """A provider that holds back one toolkit, for one user or for all."""

    toolkit: str
    user_id: str = ""
    wait_s: int = 30

    def meets(self, toolkit: str, user_id: str) -> bool:
        """Tell whether a call is one of those that the provider holds back."""
        return toolkit == self.toolkit and self.user_id in ("", user_id)


class Throttles:
    """The limits of providers: inside HTTP 200, as tool calls that were not successful."""

    def __init__(self) -> None:
        self._throttles: list[Throttle] = []

    def change(self, wanted: Sequence[Mapping[str, Any]] | None) -> None:
        """Take over which providers hold back; None leaves them as they are."""
        if wanted is not None:
            self._throttles = [Throttle(**each) for each in wanted]

    async def refusal(self, request: Request) -> Response | None:
        """Return the provider's refusal, where it holds this call back."""
        toolkit = request.path_params["slug"].partition("_")[0].lower()
        try:
            user_id = json.loads(await request.body() or b"{}").get("user_id") or ""
        except (ValueError, AttributeError):
            return None
        for throttle in self._throttles:
            if throttle.meets(toolkit, user_id):
                return unsuccessful(
                    f"429 Too Many Requests from {toolkit}: rate limit exceeded",
                    {"http_status": 429, "retry_after": throttle.wait_s},
                )
        return None


async def execute(
    request: Request, accounts: Accounts, records: Records, volumes: Volumes
) -> Response:
    """Run a tool, on the account that the request names or on the user's own.

    The first tool of a toolkit lists what the account holds, a page at a time where a ``limit`` is
    given.
    """
    slug = request.path_params["slug"]
    if slug not in _ANSWERS:
        return error(
            HTTPStatus.NOT_FOUND,
            f"There is no tool {slug}.",
            fix="List the tools of the toolkit and use one of their slugs.",
        )
    try:
        body = json.loads(await request.body() or b"{}")
        arguments = body.get("arguments") or {}
        rows = max(0, int(arguments.get("rows", 0)))
    except (ValueError, AttributeError, TypeError):
        return error(
            HTTPStatus.BAD_REQUEST,
            "The body is not an object with an object of arguments.",
            fix="Send the tool's arguments as a JSON object.",
        )
    refusal = _refused(slug, body, accounts)
    if refusal is not None:
        return refusal
    toolkit, user_id = slug.partition("_")[0].lower(), str(body.get("user_id", ""))
    if slug in READS or (slug in CHANGES and "id" in arguments):
        return records.run(slug, arguments, user_id=user_id)
    if "limit" in arguments and slug == TOOLKITS[toolkit].actions[0]:
        return await volumes.page(toolkit, user_id, arguments)
    return await _ordinary(slug, rows)


async def _ordinary(slug: str, rows: int) -> Response:
    """Take the time of a tool that touches no record, and answer."""
    if slug != _EXPORT:
        await asyncio.sleep(_ORDINARY_S)
        return successful(_ANSWERS[slug])
    await asyncio.sleep(min(rows / _ROWS_A_SECOND, _LONGEST_EXPORT_S))
    return successful({**_ANSWERS[slug], "rows": rows})


def _refused(slug: str, body: Mapping[str, str], accounts: Accounts) -> Response | None:
    """Say why the call may not run; a call for nobody runs on no account, as in a playground."""
    user_id, account_id = body.get("user_id"), body.get("connected_account_id")
    if account_id:
        account = accounts.get(account_id)
        if account is None:
            return _no_account(account_id)
        if user_id and account.user_id != user_id:
            return error(
                HTTPStatus.BAD_REQUEST,
                f"Connected account {account_id} does not belong to user {user_id}.",
                fix="Send the user the account was made for.",
                number=1812,
                slug="ActionExecute_ConnectedAccountEntityIdMismatch",
            )
        return _unusable(account)
    toolkit = slug.partition("_")[0].lower()
    if not user_id or not TOOLKITS[toolkit].scopes:
        return None
    own = accounts.of(user_id, toolkit)
    if not own:
        return error(
            HTTPStatus.BAD_REQUEST,
            f"No connected account found for user {user_id} for toolkit {toolkit}",
            fix="Connect an account for this user first.",
            number=1803,
            slug="ToolRouterV2_NoActiveConnection",
        )
    usable = [account for account in own if _unusable(account) is None]
    return None if usable else _unusable(own[-1])


def _no_account(account_id: str) -> Response:
    return error(
        HTTPStatus.NOT_FOUND,
        f"Connected account {account_id} not found",
        fix="List the connected accounts and use one of their ids.",
        number=1810,
        slug="ActionExecute_ConnectedAccountNotFound",
    )


def _unusable(account: ConnectedAccount) -> Response | None:
    if account.state is AccountState.ACTIVE and not account.disabled:
        return None
    word = "DISABLED" if account.disabled else account.state.value
    return error(
        HTTPStatus.GONE,
        f"Connected account {account.id} is in {word} state",
        fix="Have the user connect the account again.",
        number=1820,
        slug="ActionExecute_ConnectedAccountExpired",
    )
