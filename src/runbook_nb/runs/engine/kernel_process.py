"""The process of a kernel: private sockets only, and at once or when its run is handed over.

It runs as a script. Without arguments it waits: what every run imports is there, and nothing of a
run is. It then takes environment, folder and arguments from its input once, as JSON. The end of
the input without them means that the runner is gone, and the kernel with it.
"""

import importlib
import json
import os
import sys
from typing import Any

# What takes long to import and reads no variable of a run while it is imported.
_EARLY = ("ipykernel.kernelapp", "runbook_nb.incident", "httpx", "psycopg")


def main() -> None:
    """Become a kernel, now or when its run is handed over."""
    if len(sys.argv) > 1 or _was_handed_over():
        _launch()


def _was_handed_over() -> bool:
    """Import, wait, and take over what belongs to the run; tell whether there was one."""
    for name in _EARLY:
        importlib.import_module(name)
    handed = sys.stdin.buffer.read()
    if not handed:
        return False
    run = json.loads(handed)
    os.environ.clear()
    os.environ.update(run["environ"])
    os.chdir(run["folder"])
    sys.argv[:] = run["arguments"]
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    return True


def _launch() -> None:
    import zmq
    from ipykernel.iostream import IOPubThread
    from ipykernel.kernelapp import IPKernelApp
    from zmq.eventloop.zmqstream import ZMQStream

    class SocketOutput(IOPubThread):
        """Gathers what forked processes print by a socket of the kernel's own, not by a port."""

        def __init__(self, socket: Any, place: str, session: Any) -> None:
            self._place = f"ipc://{place}-forked"
            super().__init__(socket, pipe=True, session=session)  # type: ignore[no-untyped-call]

        def _setup_pipe_in(self) -> None:
            self._pipe_uuid = os.urandom(16)
            incoming = self.socket.context.socket(zmq.PULL)
            incoming.linger = 0
            incoming.bind(self._place)
            self._pipe_in = ZMQStream(incoming, self.io_loop)
            self._pipe_in.on_recv(self._handle_pipe_msg)

        def _setup_pipe_out(self) -> tuple[Any, Any]:
            context = zmq.Context()  # a fork must not use its parent's
            outgoing = context.socket(zmq.PUSH)
            outgoing.linger = 3000
            outgoing.connect(self._place)
            return context, outgoing

    class PrivateKernelApp(IPKernelApp):
        """A kernel that listens on no port at all."""

        def init_iopub(self, context: Any) -> None:
            """Open the channel of outputs; as ipykernel does it, but for the port."""
            socket = context.socket(zmq.XPUB)
            socket.linger = 1000
            self._apply_curve_server_options(socket)
            self.iopub_port = self._bind_socket(socket, self.iopub_port)  # type: ignore[no-untyped-call]
            self.configure_tornado_logger()  # type: ignore[no-untyped-call]
            self.iopub_thread = SocketOutput(socket, self.ip, self.session)
            self.iopub_thread.start()  # type: ignore[no-untyped-call]
            self.iopub_socket = self.iopub_thread.background_socket

    PrivateKernelApp.launch_instance()


if __name__ == "__main__":
    main()
