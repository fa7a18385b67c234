"""The file and the secrets by which the core finds the lab, as it finds staging or production."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_nb.packs.control_plane.lab.backups import settings_for
from runbook_nb.packs.control_plane.lab.postgres import LabPostgres
from runbook_nb.probes.lab_settings import write_lab_settings
from runbook_nb.timeline.store.embedded.files import ensure_secret, write_secret

if TYPE_CHECKING:
    from runbook_nb.packs.control_plane.lab.emulators import Emulator

HEARTBEAT_INTERVAL_S = 1
# Where Security keeps what it seals: outside of the database, and of nobody else.
SNAPSHOTS = "sealed"
FLY_APP = "ai-employee-agent"

# Roles that log in, with the file that holds each one's connection string.
LOGIN_ROLES = {
    "agent_service": "agent.dsn",
    "authenticator": "authenticator.dsn",
    "runbook_reader": "reader.dsn",
    "runbook_viewer": "viewer.dsn",
    "runbook_writer": "writer.dsn",
}


def write_secrets(server: LabPostgres) -> None:
    """Make passwords and tokens, and write the connection strings of the running server."""
    folder = server.folder
    for token in ("fly", *(each.name for each in _partners() if each.token)):
        ensure_secret(folder, f"{token}.token")
    write_secret(folder, "postgres.dsn", server.dsn())
    for role, file in LOGIN_ROLES.items():
        ensure_secret(folder, f"{role}.password")
        write_secret(folder, file, server.dsn(role))


def write_environment(folder: Path, ports: Mapping[str, int]) -> None:
    """Describe the running lab as the environment `lab`, by the ports on which it listens."""
    write_lab_settings(
        folder,
        {
            "database": {
                "reader": _secret(folder, "reader.dsn"),
                "writer": _secret(folder, "writer.dsn"),
                "owner": _secret(folder, "postgres.dsn"),
                "token_hook": "auth_hooks.add_claims(jsonb)",
            },
            "viewer": {"reader": _secret(folder, "viewer.dsn")},
            "backup": settings_for(folder),
            "snapshots": {"folder": str(folder / SNAPSHOTS)},
            "alerting": {
                "rules": str(folder / "alerting" / "rules.yml"),
                "routes": str(folder / "alerting" / "alertmanager.yml"),
            },
            "agent": {"url": _url(ports["agent"]), "heartbeat_interval_s": HEARTBEAT_INTERVAL_S},
            "ui": {"url": _url(ports["ui"])},
            "edge": {"url": _url(ports["edge"]), "admin_url": _url(ports["edge_admin"])},
            "fly": {
                "url": _url(ports["fly"]),
                "app": FLY_APP,
                "token": _secret(folder, "fly.token"),
            },
            **{each.name: _partner(folder, each, ports) for each in _partners()},
        },
    )


def _partners() -> "Iterable[Emulator]":
    # The emulators bring a web framework along, and asking how the lab is needs none.
    from runbook_nb.packs.control_plane.lab.emulators import EMULATORS

    return EMULATORS.values()


def _partner(folder: Path, each: "Emulator", ports: Mapping[str, int]) -> dict[str, str | int]:
    token = {"token": _secret(folder, f"{each.name}.token")} if each.token else {}
    return {"url": _url(ports[each.name]), **each.settings, **token}


def _secret(folder: Path, name: str) -> str:
    return f"file:{folder / 'secrets' / name}"


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
