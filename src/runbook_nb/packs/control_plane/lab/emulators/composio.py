"""An emulator for Composio's REST API, v3 and v3.1: tools, connected accounts, links and keys.

Its accounts are made of the platform's approved connections when first asked. What Composio does
not decide itself (a provider ends a consent, a person makes a key, time passes) the lab brings
about on ``PROVIDER``. The keys of a project are shown with the fields of the documented answer to
a new key.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, LiteralString

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import (
    CONNECTED,
    Accounts,
    AccountState,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_answers import ANSWERS, Answer
from runbook_nb.packs.control_plane.lab.emulators.composio_auth_configs import REDIRECT_URI
from runbook_nb.packs.control_plane.lab.emulators.composio_consents import arrange
from runbook_nb.packs.control_plane.lab.emulators.composio_errors import RateLimit, error
from runbook_nb.packs.control_plane.lab.emulators.composio_keys import Keys
from runbook_nb.packs.control_plane.lab.emulators.composio_logs import (
    DETAIL,
    SEARCH,
    Executions,
    now_ms,
)
from runbook_nb.packs.control_plane.lab.emulators.composio_records import PLANS, Records
from runbook_nb.packs.control_plane.lab.emulators.composio_tools import Throttles, execute
from runbook_nb.packs.control_plane.lab.emulators.composio_volumes import Volumes
from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator
from runbook_nb.timeline.store.embedded.files import read_secret

PROJECT: Final = "proj_lab"
PROVIDER: Final = "/__lab__/provider"
_ROOTS: Final = ("/api/v3.1", "/api/v3")


class Composio:
    """One organisation with one project: its keys, accounts and rate limit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loading = asyncio.Lock()
        self._begin()

    def _begin(self) -> None:
        """Begin with the key that the platform holds, and with accounts that are yet to be read."""
        self.keys = Keys(read_secret(self._folder, "composio.token"))
        self.limit = RateLimit()
        self.executions = Executions()
        self.throttles = Throttles()
        self.volumes = Volumes()
        self._accounts: Accounts | None = None
        self._records: Records | None = None

    def project_app(self) -> Starlette:
        """Make the API of the project, opened by a project key."""
        routes = [Route(PROVIDER, self._provide, methods=["POST", "DELETE"])]
        for root in _ROOTS:
            routes += [
                Route(root + path, self._authorised(answer), methods=[method])
                for method, path, answer in (
                    *ANSWERS,
                    ("POST", "/tools/execute/{slug}", self._execute),
                    ("POST", SEARCH, self._search),
                    ("GET", DETAIL, self._show_execution),
                )
            ]
            routes.append(Route(f"{root}/api_key_revocation", self._revoke_keys, methods=["POST"]))
        return Starlette(routes=routes)

    def organisation_app(self) -> Starlette:
        """Make the API of the organisation, opened by its own key."""
        path = "/org/owner/project/{project}"
        return Starlette(routes=[Route(root + path, self._show_project) for root in _ROOTS])

    async def accounts(self) -> Accounts:
        """Return the accounts, made of the platform's rows the first time."""
        async with self._loading:
            if self._accounts is None:
                accounts = Accounts()
                accounts.connect(await asyncio.to_thread(_rows, self._folder, CONNECTED))
                self._accounts = accounts
            return self._accounts

    async def records(self) -> Records:
        """Return the records behind the tools, made of the undo plans the first time."""
        async with self._loading:
            if self._records is None:
                records = Records()
                records.fill(await asyncio.to_thread(_rows, self._folder, PLANS))
                self._records = records
            return self._records

    def _authorised(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            refused = self.limit.take()
            if refused is None and not self.keys.accepts(request.headers.get("x-api-key", "")):
                refused = _unauthorised("Create a key in the project's settings; send x-api-key.")
            response = refused or await answer(request, await self.accounts())
            response.headers.update(self.limit.headers())
            return response

        return guarded

    async def _execute(self, request: Request, accounts: Accounts) -> Response:
        """Run a tool, unless its provider throttles, and keep what came of it."""
        began_ms = now_ms()
        throttled = await self.throttles.refusal(request)
        response = throttled or await execute(request, accounts, await self.records(), self.volumes)
        await self.executions.keep(request, response, began_ms=began_ms)
        return response

    # Beginning anew makes another log, so the routes ask for the present one.
    async def _search(self, request: Request, _accounts: Accounts) -> Response:
        return await self.executions.search(request)

    async def _show_execution(self, request: Request, _accounts: Accounts) -> Response:
        return await self.executions.show(request)

    async def _show_project(self, request: Request) -> Response:
        own = read_secret(self._folder, "composio_org.token")
        if not secrets.compare_digest(
            request.headers.get("x-org-api-key", "").encode(), own.encode()
        ):
            return _unauthorised("Copy the organisation's key and send x-org-api-key.")
        if request.path_params["project"] != PROJECT:
            return error(
                HTTPStatus.NOT_FOUND, "Project not found", fix="List the organisation's projects."
            )
        keys = [key.as_json() for key in self.keys.all()]
        about = {"id": PROJECT, "org_id": "org_lab", "name": "lab", "api_keys": keys}
        return JSONResponse(about)

    async def _revoke_keys(self, request: Request) -> Response:
        """Make keys invalid, whoever asks; the answer does not tell which of them existed."""
        try:
            values = json.loads(await request.body())["api_keys"]
        except (ValueError, KeyError, TypeError):
            return error(HTTPStatus.BAD_REQUEST, "api_keys is required.", fix="Send a list.")
        for value in values:
            self.keys.revoke(str(value))
        return JSONResponse({"received": True})

    async def _provide(self, request: Request) -> Response:
        """Do what is not Composio's to decide; DELETE begins anew."""
        if request.method == "DELETE":
            self._begin()
            return JSONResponse({})
        body: dict[str, Any] = json.loads(await request.body())
        accounts = await self.accounts()
        for account in accounts.of(body.get("user_id", ""), body.get("toolkit", "")):
            if body.get("expire"):
                account.enter(AccountState.EXPIRED, "Permanent auth error during token refresh")
            if "scopes" in body:
                account.scopes = tuple(body["scopes"])
        for link in body.get("links", ()):
            accounts.begun(**link)
        arrange(accounts.customers, accounts.configs, body)
        if "records" in body:
            records = await self.records()
            for change in body["records"]:
                records.put(**change)
        if "new_key" in body:
            self.keys.add(body["new_key"])
        if "key_age_days" in body:
            self.keys.age(body["key_age_days"])
        self.limit.change(body)
        self.throttles.change(body.get("throttles"))
        self.volumes.change(body.get("volumes"))
        return JSONResponse({})


def _rows(folder: Path, question: LiteralString) -> list[dict[str, Any]]:
    """Ask the platform's database what customers hold."""
    import psycopg
    from psycopg.rows import dict_row

    with psycopg.connect(read_secret(folder, "postgres.dsn"), row_factory=dict_row) as connection:
        return connection.execute(question).fetchall()


def _unauthorised(fix: str) -> Response:
    return error(HTTPStatus.UNAUTHORIZED, "Invalid API key.", fix=fix)


@cache
def _composio(folder: Path) -> Composio:
    """Return the one organisation of a lab: both of its apps tell of the same keys."""
    return Composio(folder)


EMULATOR = (
    Emulator(
        name="composio",
        make=lambda access: _composio(access.folder).project_app(),
        settings={
            "token_header": "x-api-key",
            "token_format": "{token}",
            "project": PROJECT,
            "redirect_uri": REDIRECT_URI,
            "agent_variable": "COMPOSIO_TOKEN",
        },
    ),
    Emulator(
        name="composio_org",
        make=lambda access: _composio(access.folder).organisation_app(),
        settings={"token_header": "x-org-api-key", "token_format": "{token}"},
    ),
)
