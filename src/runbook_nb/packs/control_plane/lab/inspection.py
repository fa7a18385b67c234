"""How a part of the lab is seen from outside: does its port take connections, does it answer."""

import http.client
import socket
import ssl
from typing import Final

# For clients of the lab's partners, which speak plain HTTP: to read the system's certificates
# takes longer than what is asked.
NO_CERTIFICATES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

_WITHIN_S = 1.0
_OK = 200


def listens(port: int) -> bool:
    """Tell whether a process takes connections on the port of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=_WITHIN_S).close()
    except OSError:
        return False
    return True


def is_healthy(port: int) -> bool:
    """Tell whether `GET /health` on the port of 127.0.0.1 answers 200 within a second."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WITHIN_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
