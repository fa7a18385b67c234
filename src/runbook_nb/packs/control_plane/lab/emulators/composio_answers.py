"""What Composio answers about connected accounts, links, auth configs and toolkits."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runbook_nb.packs.control_plane.lab.emulators import composio_auth_configs
from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import (
    LINK_LIVES,
    TOOLKITS,
    Accounts,
    AccountState,
    ConnectedAccount,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_auth_configs import auth_config_id
from runbook_nb.packs.control_plane.lab.emulators.composio_errors import error, page

Answer = Callable[[Request, Accounts], Awaitable[Response]]

_FILTERS: dict[str, Callable[[ConnectedAccount], str]] = {
    "statuses": lambda account: account.state.value,
    "user_ids": lambda account: account.user_id,
    "toolkit_slugs": lambda account: account.toolkit,
    "auth_config_ids": lambda account: auth_config_id(account.toolkit),
    "connected_account_ids": lambda account: account.id,
}
_SINCE = "2025-01-15T09:00:00.000Z"


async def list_accounts(request: Request, accounts: Accounts) -> Response:
    """List accounts; a filter may be repeated or hold commas: any of its values will do."""
    found = accounts.all()
    for name, of in _FILTERS.items():
        given = request.query_params.getlist(name)
        if wanted := [value for text in given for value in text.split(",")]:
            found = [account for account in found if of(account) in wanted]
    if request.query_params.get("order_direction", "desc") == "desc":
        found = found[::-1]
    return page(request, [account.as_json() for account in found])


async def show(request: Request, accounts: Accounts) -> Response:
    """Show one account."""
    account = _named(request, accounts)
    return JSONResponse(account.as_json()) if account else _not_found(request)


async def link(request: Request, accounts: Accounts) -> Response:
    """Make a link that a customer follows to consent."""
    try:
        body: dict[str, Any] = json.loads(await request.body())
        user_id, config_id = str(body["user_id"]), str(body["auth_config_id"])
    except (ValueError, KeyError, TypeError):
        return error(
            HTTPStatus.BAD_REQUEST,
            "auth_config_id and user_id are required.",
            fix="Send both as strings.",
            number=601,
            slug="Validation_Error",
        )
    config = accounts.configs.get(config_id)
    if config is None:
        return composio_auth_configs.not_found(config_id)
    if not config.enabled:
        return error(
            HTTPStatus.BAD_REQUEST,
            f"Auth config {config_id} is disabled",
            fix="Enable the auth config, or use another one.",
        )
    account = accounts.link(
        user_id=user_id,
        toolkit=config.toolkit.slug,
        callback_url=str(body.get("callback_url") or ""),
    )
    token = f"lk_{account.id.removeprefix('ca_')}"
    return JSONResponse(
        {
            "link_token": token,
            "redirect_url": f"https://connect.composio.dev/link/{token}",
            "connected_account_id": account.id,
            "expires_at": (datetime.now(UTC) + LINK_LIVES).isoformat(),
        },
        status_code=HTTPStatus.CREATED,
    )


async def refresh(request: Request, accounts: Accounts) -> Response:
    """Begin the consent anew, as the deprecated endpoint does: a working account stops working."""
    account = _named(request, accounts)
    if account is None:
        return _not_found(request)
    account.enter(AccountState.INITIATED)
    url = f"https://connect.composio.dev/link/lk_{account.id.removeprefix('ca_')}"
    return JSONResponse({"id": account.id, "status": account.state.value, "redirect_url": url})


async def revoke(request: Request, accounts: Accounts) -> Response:
    """End the consent at the provider; doing it again changes nothing."""
    account = _named(request, accounts)
    if account is None:
        return _not_found(request)
    if account.state not in (AccountState.ACTIVE, AccountState.REVOKED):
        return error(
            HTTPStatus.CONFLICT,
            f"Connected account {account.id} is {account.state.value} and cannot be revoked",
            fix="Only an ACTIVE account can be revoked.",
        )
    revoked = ["access_token", "refresh_token"] if account.state is AccountState.ACTIVE else []
    if revoked:
        account.enter(AccountState.REVOKED, "Revoked via user-initiated revoke endpoint")
    about = {"id": account.id, "status": account.state.value}
    return JSONResponse({"revoked_tokens": revoked, "connected_account": about})


async def enable(request: Request, accounts: Accounts) -> Response:
    """Enable or disable an account."""
    account = _named(request, accounts)
    if account is None:
        return _not_found(request)
    try:
        enabled = json.loads(await request.body())["enabled"]
    except (ValueError, KeyError, TypeError):
        enabled = None
    if not isinstance(enabled, bool):
        return error(HTTPStatus.BAD_REQUEST, "enabled must be true or false.", fix="Send it.")
    account.disabled = not enabled
    account.enter(
        AccountState.ACTIVE if enabled else AccountState.INACTIVE,
        None if enabled else "Connection status updated by user",
    )
    return JSONResponse({"success": True})


async def delete(request: Request, accounts: Accounts) -> Response:
    """Delete an account."""
    account = _named(request, accounts)
    if account is None:
        return _not_found(request)
    accounts.delete(account)
    return JSONResponse({"success": True})


async def auth_configs(request: Request, accounts: Accounts) -> Response:
    """List the auth configs, one for each toolkit that needs a consent."""
    wanted = request.query_params.get("toolkit_slug")
    items = [
        config.as_json(connections=accounts.count(config.toolkit.slug))
        for config in accounts.configs
        if wanted in (None, config.toolkit.slug)
    ]
    return page(request, items)


async def auth_config(request: Request, accounts: Accounts) -> Response:
    """Show one auth config."""
    return await composio_auth_configs.show(request, accounts.configs, accounts.count)


async def update_auth_config(request: Request, accounts: Accounts) -> Response:
    """Change the credentials of an auth config."""
    return await composio_auth_configs.update(request, accounts.configs)


async def set_auth_config_status(request: Request, accounts: Accounts) -> Response:
    """Enable or disable an auth config."""
    return await composio_auth_configs.set_status(request, accounts.configs)


async def toolkits(request: Request, _accounts: Accounts) -> Response:
    """List the toolkits."""
    items = [
        {
            "slug": toolkit.slug,
            "name": toolkit.name,
            "type": "native",
            "auth_schemes": ["OAUTH2"] if toolkit.scopes else [],
            "no_auth": not toolkit.scopes,
            "is_local_toolkit": False,
            "deprecated": {"toolkitId": toolkit.slug},
            "meta": {
                "description": toolkit.name,
                "logo": "",
                "categories": [],
                "tools_count": len(toolkit.actions),
                "triggers_count": 0,
                "version": "20261001_00",
                "created_at": _SINCE,
                "updated_at": _SINCE,
            },
        }
        for toolkit in TOOLKITS.values()
    ]
    return page(request, items)


def _named(request: Request, accounts: Accounts) -> ConnectedAccount | None:
    return accounts.get(request.path_params["account"])


def _not_found(request: Request) -> Response:
    return error(
        HTTPStatus.NOT_FOUND,
        f"Connected account {request.path_params['account']} not found",
        fix="List the connected accounts and use one of their ids.",
        number=604,
        slug="ConnectedAccount_ResourceNotFound",
    )


_ACCOUNT = "/connected_accounts/{account}"
_CONFIG = "/auth_configs/{config}"
ANSWERS: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/connected_accounts", list_accounts),
    ("POST", "/connected_accounts/link", link),
    ("GET", _ACCOUNT, show),
    ("DELETE", _ACCOUNT, delete),
    ("POST", f"{_ACCOUNT}/refresh", refresh),
    ("POST", f"{_ACCOUNT}/revoke", revoke),
    ("PATCH", f"{_ACCOUNT}/status", enable),
    ("GET", "/auth_configs", auth_configs),
    ("GET", _CONFIG, auth_config),
    ("PATCH", _CONFIG, update_auth_config),
    ("PATCH", f"{_CONFIG}/{{status}}", set_auth_config_status),
    ("GET", "/toolkits", toolkits),
)
