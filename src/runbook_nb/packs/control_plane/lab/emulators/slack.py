"""An emulator for Slack: the part of its Web API that posts to channels and reads them back.

A refused call is answered with HTTP 200 and ``ok: false``, as Slack does.
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbook_nb.packs.control_plane.lab.emulators.emulator import Emulator

INCIDENTS = "C0INCIDENTS"
_CHANNELS = {
    INCIDENTS: "incidents",
    "C0RELEASES0": "releases",
    "C0PLANE0000": "ai-control-plane",
    "C0HEALTH000": "ai-control-plane-health",
}
_PREFIX = "xoxb-"
_LONGEST = 40_000


class RefusedError(Exception):
    """Slack refuses a call; the argument is its word for why."""


@dataclass(kw_only=True)
class Workspace:
    """Channels and what was posted to each, newest first."""

    token: str
    posts: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {channel: [] for channel in _CHANNELS}
    )
    last_ts: float = 0

    def next_ts(self) -> str:
        """Return a time stamp that no message has yet; Slack tells messages by it."""
        self.last_ts = max(time.time(), self.last_ts + 0.000001)
        return f"{self.last_ts:.6f}"

    def channel(self, said: str) -> str:
        """Return a channel's id by its id or its name."""
        names = {name: channel for channel, name in _CHANNELS.items()}
        found = names.get(said.removeprefix("#"), said)
        if found not in self.posts:
            raise RefusedError("channel_not_found")
        return found

    def message(self, channel: str, ts: str) -> dict[str, Any]:
        """Return a message by its time stamp."""
        for post in self.posts[channel]:
            if post["ts"] == ts:
                return post
        raise RefusedError("message_not_found")


def slack_app(*, token: str) -> Starlette:
    """Make the emulator; only the bot token ``token`` is accepted."""
    workspace = Workspace(token=token)

    async def call(request: Request) -> Response:
        method = request.path_params["method"]
        try:
            _authenticate(request, workspace)
            known = _METHODS.get(method)
            if known is None:
                raise RefusedError("unknown_method")
            return JSONResponse({"ok": True, **known(workspace, await _arguments(request))})
        except RefusedError as refused:
            return JSONResponse({"ok": False, "error": str(refused)})

    return Starlette(routes=[Route("/api/{method}", call, methods=["GET", "POST"])])


def _authenticate(request: Request, workspace: Workspace) -> None:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not given:
        raise RefusedError("not_authed")
    if not secrets.compare_digest(given.encode(), workspace.token.encode()):
        raise RefusedError("invalid_auth")


async def _arguments(request: Request) -> dict[str, Any]:
    """Read arguments from the query, a form or JSON; a form holds objects as JSON text."""
    arguments: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            arguments.update(json.loads(body or b"{}"))
        except ValueError:
            raise RefusedError("invalid_json") from None
    else:
        arguments.update(parse_qsl(body.decode("utf-8", errors="replace")))
    if isinstance(arguments.get("metadata"), str):
        arguments["metadata"] = json.loads(arguments["metadata"])
    return arguments


def _test(_workspace: Workspace, _arguments: dict[str, Any]) -> dict[str, Any]:
    return {"team": "AI Employee Control Plane", "user": "runbook", "bot_id": "B0RUNBOOK00"}


def _post(workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
    channel = workspace.channel(str(arguments.get("channel", "")))
    text = str(arguments.get("text", ""))
    if not text:
        raise RefusedError("no_text")
    if len(text) > _LONGEST:
        raise RefusedError("msg_too_long")
    post = {"type": "message", "bot_id": "B0RUNBOOK00", "text": text, "ts": workspace.next_ts()}
    if thread := arguments.get("thread_ts"):
        post["thread_ts"] = workspace.message(channel, str(thread))["ts"]
    if metadata := arguments.get("metadata"):
        post["metadata"] = metadata
    workspace.posts[channel].insert(0, post)
    return {"channel": channel, "ts": post["ts"], "message": post}


def _update(workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
    channel = workspace.channel(str(arguments.get("channel", "")))
    post = workspace.message(channel, str(arguments.get("ts", "")))
    post["text"] = str(arguments.get("text", ""))
    return {"channel": channel, "ts": post["ts"], "text": post["text"]}


def _delete(workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
    channel = workspace.channel(str(arguments.get("channel", "")))
    post = workspace.message(channel, str(arguments.get("ts", "")))
    workspace.posts[channel].remove(post)
    return {"channel": channel, "ts": post["ts"]}


def _history(workspace: Workspace, arguments: dict[str, Any]) -> dict[str, Any]:
    channel = str(arguments.get("channel", ""))
    if channel not in workspace.posts:
        # Unlike posting, reading wants the id and takes no name.
        raise RefusedError("channel_not_found")
    with_metadata = str(arguments.get("include_all_metadata", "")).lower() in {"true", "1"}
    limit = int(arguments.get("limit", 100))
    posts = workspace.posts[channel]
    shown = [
        {name: value for name, value in post.items() if with_metadata or name != "metadata"}
        for post in posts[:limit]
    ]
    return {"messages": shown, "has_more": len(posts) > limit}


def _list(_workspace: Workspace, _arguments: dict[str, Any]) -> dict[str, Any]:
    channels = [{"id": channel, "name": name} for channel, name in _CHANNELS.items()]
    return {"channels": channels, "response_metadata": {"next_cursor": ""}}


_METHODS = {
    "auth.test": _test,
    "chat.postMessage": _post,
    "chat.update": _update,
    "chat.delete": _delete,
    "conversations.history": _history,
    "conversations.list": _list,
}

EMULATOR = Emulator(
    name="slack",
    make=lambda access: slack_app(token=_PREFIX + access.secret("slack.token")),
    settings={"token_format": f"Bearer {_PREFIX}{{token}}", "incidents_channel": INCIDENTS},
)
