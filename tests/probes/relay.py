"""A pooler between a client and PostgreSQL, by the protocol of version 3: it drops or refuses."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

_NO_TLS = (80877103, 80877104)  # a client asks for TLS or GSS; the answer is no
_VERSION_3 = 196608


@contextmanager
def relay(port: int, *, refuses: bool = False) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Listen before the server of ``port``; yields a port, and what clients asked for at startup.

    The startup parameter ``options`` is dropped, or where it ``refuses`` the client is turned away.
    """
    seen: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _begin(partial(_accept, listener, port, seen, refuses=refuses))
        yield listener.getsockname()[1], seen


def _accept(
    listener: socket.socket, port: int, seen: list[dict[str, str]], *, refuses: bool
) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        _begin(partial(_serve, client, port, seen, refuses=refuses))


def _begin(work: Callable[[], None]) -> None:
    threading.Thread(target=work, daemon=True).start()


def _serve(client: socket.socket, port: int, seen: list[dict[str, str]], *, refuses: bool) -> None:
    while True:
        size = struct.unpack("!I", _exactly(client, 4))[0]
        body = _exactly(client, size - 4)
        code = struct.unpack("!I", body[:4])[0]
        if code not in _NO_TLS:
            break
        client.sendall(b"N")
    server = socket.create_connection(("127.0.0.1", port))
    if code == _VERSION_3:
        words = body[4:].rstrip(b"\0").split(b"\0")
        asked = dict(zip(words[::2], words[1::2], strict=True))
        seen.append({name.decode(): value.decode() for name, value in asked.items()})
        if refuses and b"options" in asked:
            said = b"SERROR\0C08P01\0Munsupported startup parameter: options\0\0"
            client.sendall(b"E" + struct.pack("!I", len(said) + 4) + said)
            client.close()
            return
        kept = [
            part for name, value in asked.items() if name != b"options" for part in (name, value)
        ]
        body = body[:4] + b"\0".join(kept) + b"\0\0"
    server.sendall(struct.pack("!I", len(body) + 4) + body)
    _begin(partial(_pump, client, server))
    _pump(server, client)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = connection.recv(size - len(found))
        if not part:
            raise ConnectionError
        found += part
    return found


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
