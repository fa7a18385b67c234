"""Composio's auth configs in the lab: the app, redirect and scopes of each toolkit."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runbook_nb.packs.control_plane.lab.emulators.composio_errors import error
from runbook_nb.packs.control_plane.lab.seed.vocabulary import THEMES, Toolkit

# Where a provider sends the customer back to; it must be known to the provider's app.
REDIRECT_URI: Final = "https://backend.composio.dev/api/v1/auth-apps/add"
_SINCE: Final = datetime(2025, 1, 15, 9, tzinfo=UTC)
_CONNECTABLE: Final = {
    toolkit.slug: toolkit for theme in THEMES for toolkit in theme.toolkits if toolkit.scopes
}


@dataclass(kw_only=True)
class AuthConfig:
    """One auth config of ours, for one toolkit."""

    toolkit: Toolkit
    scopes: tuple[str, ...]
    redirect_uri: str = REDIRECT_URI
    enabled: bool = True
    updated_at: datetime = _SINCE

    @property
    def id(self) -> str:
        """The id, which a link names."""
        return auth_config_id(self.toolkit.slug)

    def as_json(self, *, connections: int) -> dict[str, Any]:
        """Return the config as Composio shows it, without its client's secret."""
        return {
            "id": self.id,
            "uuid": str(uuid5(NAMESPACE_URL, self.id)),
            "type": "custom",
            "name": f"{self.toolkit.name} OAuth",
            "auth_scheme": "OAUTH2",
            "is_composio_managed": False,
            "status": "ENABLED" if self.enabled else "DISABLED",
            "no_of_connections": connections,
            "credentials": {
                "client_id": f"{self.toolkit.slug}-app",
                "scopes": list(self.scopes),
                "oauth_redirect_uri": self.redirect_uri,
            },
            "tool_access_config": {},
            "toolkit": {"slug": self.toolkit.slug, "logo": ""},
            "created_at": zulu(_SINCE),
            "last_updated_at": zulu(self.updated_at),
        }

    def change(self, credentials: dict[str, Any]) -> None:
        """Take the given credentials over the former ones; what is left out stays."""
        if "scopes" in credentials:
            given = credentials["scopes"]
            listed = given.replace(",", " ").split() if isinstance(given, str) else given
            self.scopes = tuple(map(str, listed))
        self.redirect_uri = str(credentials.get("oauth_redirect_uri", self.redirect_uri))
        self.updated_at = datetime.now(UTC)


@dataclass(kw_only=True)
class AuthConfigs:
    """All auth configs, and the redirects that the providers' apps know."""

    registered: set[str] = field(default_factory=lambda: {REDIRECT_URI})
    _by_toolkit: dict[str, AuthConfig] = field(
        default_factory=lambda: {
            slug: AuthConfig(toolkit=toolkit, scopes=toolkit.scopes)
            for slug, toolkit in _CONNECTABLE.items()
        }
    )

    def __iter__(self) -> Iterator[AuthConfig]:
        """Go through them, one for each toolkit that needs a consent."""
        return iter(self._by_toolkit.values())

    def get(self, config_id: str) -> AuthConfig | None:
        """Return one by its id."""
        return self._by_toolkit.get(config_id.removeprefix("ac_"))

    def of(self, toolkit: str) -> AuthConfig:
        """Return that of a toolkit."""
        return self._by_toolkit[toolkit]

    def is_taken_back(self, toolkit: str) -> bool:
        """Tell whether the provider lets a customer go on: it must know the redirect."""
        return self.of(toolkit).redirect_uri in self.registered


def auth_config_id(toolkit: str) -> str:
    """Return the id of a toolkit's auth config."""
    return f"ac_{toolkit}"


def zulu(at: datetime) -> str:
    """Return a time as Composio writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def show(
    request: Request, configs: AuthConfigs, connections: Callable[[str], int]
) -> Response:
    """Show one config."""
    config = configs.get(request.path_params["config"])
    if config is None:
        return not_found(request.path_params["config"])
    return JSONResponse(config.as_json(connections=connections(config.toolkit.slug)))


async def update(request: Request, configs: AuthConfigs) -> Response:
    """Merge credentials into a config."""
    config = configs.get(request.path_params["config"])
    if config is None:
        return not_found(request.path_params["config"])
    try:
        body = json.loads(await request.body())
        wrong = body["type"] != "custom" or not isinstance(body.get("credentials", {}), dict)
    except (ValueError, KeyError, TypeError):
        wrong = True
    if wrong:
        return error(
            HTTPStatus.BAD_REQUEST,
            "type must be custom, and credentials an object.",
            fix="Send both.",
            number=601,
            slug="Validation_Error",
        )
    config.change(body.get("credentials", {}))
    return JSONResponse({"success": True})


async def set_status(request: Request, configs: AuthConfigs) -> Response:
    """Enable or disable a config; a disabled one makes no links."""
    config, word = configs.get(request.path_params["config"]), request.path_params["status"]
    if config is None:
        return not_found(request.path_params["config"])
    if word not in ("ENABLED", "DISABLED"):
        return error(HTTPStatus.BAD_REQUEST, "Invalid status value.", fix="ENABLED or DISABLED.")
    config.enabled = word == "ENABLED"
    config.updated_at = datetime.now(UTC)
    return JSONResponse({"success": True})


def not_found(config_id: str) -> Response:
    """Say that there is no such config."""
    return error(
        HTTPStatus.NOT_FOUND,
        f"Auth config {config_id} not found",
        fix="List the auth configs and use one of their ids.",
        number=607,
        slug="Auth_Config_NotFound",
    )
