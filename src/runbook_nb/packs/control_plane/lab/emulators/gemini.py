"""An emulator for the Gemini API, v1 and v1beta, and for the console of its Google Cloud project.

What the project's owner and other callers do (a limit is changed, another environment uses the
quota up, a model is retired or has no capacity) the lab brings about on ``PROJECT``.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator
from runbook_nb.packs.control_plane.lab.emulators.gemini_answers import (
    ANSWERS,
    Asked,
    Body,
    prompt_of,
)
from runbook_nb.packs.control_plane.lab.emulators.gemini_console import console_app
from runbook_nb.packs.control_plane.lab.emulators.gemini_errors import (
    bad_key,
    error,
    no_billing,
    no_key,
    no_model,
    overloaded,
)
from runbook_nb.packs.control_plane.lab.emulators.gemini_models import (
    FALLBACK,
    MODELS,
    USUAL,
    shown,
)
from runbook_nb.packs.control_plane.lab.emulators.gemini_quotas import EMBED, GENERATE, ModelQuota
from runbook_nb.packs.control_plane.lab.seed.embedding_model import tokens
from runbook_nb.timeline.store.embedded.files import read_secret

PROJECT_ID: Final = "acp-lab"
PROJECT: Final = "/__lab__/project"
_VERSIONS: Final = ("v1beta", "v1")
_FREE: Final = frozenset({"countTokens"})

Handler = Callable[[Request], Awaitable[Response]]


class Gemini:
    """One project: its key, its models, and what was used of its quotas."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._begin()

    def _begin(self) -> None:
        self.quotas = {
            name: ModelQuota(
                model=name, kind=model.kind, limits=dict(EMBED if model.embeds else GENERATE)
            )
            for name, model in MODELS.items()
        }
        self.retired: set[str] = set()
        self.overload: dict[str, int] = {}
        self.slow: dict[str, float] = {}
        self.blocked_words: tuple[str, ...] = ()
        self.billing = True
        self._calls: dict[str, int] = {}

    def api(self) -> Starlette:
        """Make the API that the project's key opens."""
        routes = [Route(PROJECT, self._provide, methods=["POST", "DELETE"])]
        for version in _VERSIONS:
            root = f"/{version}/models"
            routes += [
                Route(root, self._authorised(self._list)),
                Route(root + "/{model}:{method}", self._authorised(self._call), methods=["POST"]),
                Route(root + "/{model}", self._authorised(self._show)),
            ]
        return Starlette(routes=routes)

    def _authorised(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            key = request.headers.get("x-goog-api-key") or request.query_params.get("key")
            if not key:
                return no_key()
            own = read_secret(self._folder, "gemini.token")
            if not secrets.compare_digest(key.encode(), own.encode()):
                return bad_key()
            return await handler(request)

        return guarded

    async def _list(self, request: Request) -> Response:
        """List the models that are served, in pages."""
        served = [shown(name) for name in MODELS if name not in self.retired]
        try:
            size = min(max(int(request.query_params.get("pageSize") or 50), 1), 1000)
            start = int(request.query_params.get("pageToken") or 0)
        except ValueError:
            return error(HTTPStatus.BAD_REQUEST, "Invalid page token or size.")
        end = start + size
        more = {"nextPageToken": str(end)} if end < len(served) else {}
        return JSONResponse({"models": served[start:end], **more})

    async def _show(self, request: Request) -> Response:
        name = request.path_params["model"]
        if name not in MODELS or name in self.retired:
            return no_model(name, method="GetModel", version=_version(request))
        return JSONResponse(shown(name))

    async def _call(self, request: Request) -> Response:
        """Refuse a call for the first reason that holds, or answer it."""
        name, method = request.path_params["model"], request.path_params["method"]
        model = None if name in self.retired else MODELS.get(name)
        if model is None or method not in model.methods:
            return no_model(name, method=method, version=_version(request))
        try:
            body: Body = json.loads(await request.body())
            texts = prompt_of(body, method)
        except (ValueError, KeyError, TypeError, AttributeError):
            return error(HTTPStatus.BAD_REQUEST, "Invalid JSON payload received.")
        if refused := self._refusal(name, method, cost=sum(map(tokens, texts))):
            return refused
        await asyncio.sleep(self.slow.get(name, 0))
        asked = Asked(
            model=name,
            body=body,
            blocked=self._blocked(texts),
            as_events=request.query_params.get("alt") == "sse",
        )
        # A hundred vectors take a while, and the loop has other partners to answer for.
        return await asyncio.to_thread(ANSWERS[method], asked)

    def _refusal(self, name: str, method: str, *, cost: int) -> Response | None:
        if not self.billing:
            return no_billing()
        if method in _FREE:
            return None
        self._calls[name] = self._calls.get(name, 0) + 1
        every = self.overload.get(name, 0)
        if every and self._calls[name] % every == 0:
            return overloaded()
        return self.quotas[name].take(tokens=cost)

    def _blocked(self, texts: list[str]) -> bool:
        return any(word in text for word in self.blocked_words for text in texts)

    async def _provide(self, request: Request) -> Response:
        """Do what the project's owner, its other callers or Google do; DELETE begins anew."""
        if request.method == "DELETE":
            self._begin()
            return JSONResponse({})
        body: dict[str, Any] = json.loads(await request.body())
        for name, limits in body.get("limits", {}).items():
            self.quotas[name].limits.update(limits)
        for name, used in body.get("used", {}).items():
            self.quotas[name].use(requests=used["requests"], tokens=used.get("tokens", 0))
        for name, load in body.get("others", {}).items():
            self.quotas[name].others.update(load)
        for name, requests in body.get("used_today", {}).items():
            self.quotas[name].use_today(requests)
        self.retired |= set(body.get("retire", ()))
        self.overload |= body.get("overload", {})
        self.slow |= body.get("slow", {})
        self.blocked_words += tuple(body.get("blocked_words", ()))
        self.billing = body.get("billing", self.billing)
        return JSONResponse({})


def _version(request: Request) -> str:
    return request.url.path.split("/")[1]


@cache
def _gemini(folder: Path) -> Gemini:
    """Return the one project of a lab: its API and its console tell of the same quotas."""
    return Gemini(folder)


EMULATOR = (
    Emulator(
        name="gemini",
        make=lambda access: _gemini(access.folder).api(),
        settings={
            "token_header": "x-goog-api-key",
            "token_format": "{token}",
            "project": PROJECT_ID,
            "model": USUAL,
            "fallback_model": FALLBACK,
            # USD for a million tokens sent and written, as its list of prices had it in 2025.
            "model_price": "0.30/2.50",
            "fallback_price": "0.10/0.40",
            "agreed_requests_a_minute": GENERATE["requests_a_minute"],
            "agreed_tokens_a_minute": GENERATE["tokens_a_minute"],
            "agreed_requests_a_day": GENERATE["requests_a_day"],
            "embedding_model": "gemini-embedding-001",
            "embedding_provider": "google",
        },
    ),
    Emulator(
        name="google_cloud",
        make=lambda access: console_app(
            lambda: _gemini(access.folder).quotas,
            project=PROJECT_ID,
            token=lambda: read_secret(access.folder, "google_cloud.token"),
        ),
    ),
)
