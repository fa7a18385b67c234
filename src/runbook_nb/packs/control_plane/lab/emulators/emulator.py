"""What an emulator is: an ASGI app on a port of its own that speaks a partner's documented HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp

from runbook_nb.timeline.store.embedded.files import read_secret


@dataclass(frozen=True, kw_only=True)
class Access:
    """What the lab gives an emulator when it starts: its folder and the ports of all others."""

    folder: Path
    ports: Mapping[str, int]

    def secret(self, name: str) -> str:
        """Return a secret of the lab by its file's name, as ``fly.token`` or ``postgres.dsn``."""
        return read_secret(self.folder, name)


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """One partner of the platform, made in the lab.

    ``make`` returns its app. ``settings`` are the plain settings by which the core finds it, beside
    ``url``; with ``token`` the lab makes a secret ``<name>.token`` and the settings refer to it.
    """

    name: str
    make: Callable[[Access], ASGIApp]
    settings: Mapping[str, str | int] = field(default_factory=dict)
    token: bool = True
