"""What a PostgreSQL server says of itself in `postmaster.pid`, and the settings we give it."""

import hashlib
import random
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# A unix socket's path must fit in 103 bytes on macOS, 107 on Linux.
_SOCKET_PATH_BYTES = 103
_PORTS = range(20_000, 32_000)
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_ANSWER_WITHIN_S = 1.0
_SOCKET_NAME = ".s.PGSQL.65535"


@dataclass(frozen=True, kw_only=True)
class Postmaster:
    """The first process of a server; ``ready`` when it accepts connections."""

    pid: int
    port: int
    ready: bool


def read_postmaster(data: Path) -> Postmaster | None:
    """Read the lock file of a data directory; None when it is missing or not yet whole.

    The file may be left over from a server that was killed: check the process.
    """
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return Postmaster(pid=int(lines[0]), port=int(lines[3]), ready=lines[7].strip() == "ready")
    except (FileNotFoundError, IndexError, ValueError):
        return None


def server_command(*, program: Path, data: Path, port: int) -> list[str]:
    """Return the command that serves ``data``, so that its processes can be known again."""
    # Given here and not in the data's settings, as a restored copy of the data is another server.
    name = f"cluster_name={_cluster_name(data)}"
    return [str(program), "-D", str(data), "-p", str(port), "-c", name]


def serves(command: str, *, data: Path) -> bool:
    """Tell whether a command line is that of the server of ``data``, or of one of its sessions."""
    name = _cluster_name(data)
    return command.startswith(f"postgres: {name}: ") or command.endswith(f"cluster_name={name}")


def _cluster_name(data: Path) -> str:
    """Name the server of a data directory: PostgreSQL puts it into the title of each session."""
    return "runbook-" + hashlib.sha256(str(data).encode()).hexdigest()[:12]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on, and that stays ours over a restart.

    It is below the ports that systems give to outgoing connections.
    """
    candidates = iter(lambda: random.choice(_PORTS), None)  # noqa: S311 - no secret
    return next(port for port in candidates if port_is_free(port))


def port_is_free(port: int) -> bool:
    """Tell whether a server could listen on the port of 127.0.0.1 now."""
    with socket.socket() as probe:
        # A server sets this too: connections that have just closed do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Tell whether a PostgreSQL server answers on the port of 127.0.0.1 within a second.

    A halted or just killed server still takes connections, but answers nothing. The question is
    the protocol's SSLRequest, which needs no password and is answered at the connection limit too.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_WITHIN_S) as connection:
            connection.sendall(_SSL_REQUEST)
            return connection.recv(1) in {b"N", b"S"}
    except OSError:
        return False


def settings(*, home: Path) -> dict[str, str]:
    """Return the settings of a small server that serves this machine alone and keeps what it says.

    ``home`` holds the folder of its socket.
    """
    socket_folder = home / "socket"
    fits = len(str(socket_folder / _SOCKET_NAME).encode()) <= _SOCKET_PATH_BYTES
    return {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(socket_folder) if fits else "",
        "unix_socket_permissions": "0700",
        "max_connections": "60",
        "shared_buffers": "64MB",
        "min_wal_size": "8MB",
        "max_wal_size": "64MB",
        "io_method": "sync",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%u@%d %a ",
    }


def lines_of(settings: Mapping[str, str]) -> str:
    """Write settings as the lines of a postgresql.conf."""
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
