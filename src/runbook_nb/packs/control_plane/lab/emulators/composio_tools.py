"""Executing a tool at Composio: which tools there are, and for whom they may run."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import (
    TOOLKITS,
    Accounts,
    AccountState,
    ConnectedAccount,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_errors import error, successful

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
}


async def execute(request: Request, accounts: Accounts) -> Response:
    """Run a tool, on the account that the request names or on the user's own."""
    slug = request.path_params["slug"]
    if slug not in _ANSWERS:
        return error(
            HTTPStatus.NOT_FOUND,
            f"There is no tool {slug}.",
            fix="List the tools of the toolkit and use one of their slugs.",
        )
    try:
        body = json.loads(await request.body() or b"{}")
        rows = max(0, int((body.get("arguments") or {}).get("rows", 0)))
    except (ValueError, AttributeError, TypeError):
        return error(
            HTTPStatus.BAD_REQUEST,
            "The body is not an object with an object of arguments.",
            fix="Send the tool's arguments as a JSON object.",
        )
    refusal = _refused(slug, body, accounts)
    if refusal is not None:
        return refusal
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
