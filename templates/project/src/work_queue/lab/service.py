"""The queue's service: jobs in a SQLite file, and the workers that it starts.

A process of its own that knows nothing of runbooks: ``python service.py FOLDER``.
"""

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

EVERY_S = 0.2  # between two new jobs
SCHEMA = "create table if not exists job (id integer primary key, added real, taken real)"
WAITING = "select count(*), coalesce(max(? - added), 0) from job where taken is null"
TAKE = "update job set taken = ? where id = (select min(id) from job where taken is null)"


class Queue:
    """The jobs, and the workers that take them."""

    def __init__(self, folder: Path) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self._jobs = sqlite3.connect(folder / "queue.db", check_same_thread=False)
        self._jobs.execute(SCHEMA)
        self._workers: dict[int, subprocess.Popen[bytes]] = {}

    def add(self) -> None:
        """Add a job."""
        with self._lock, self._jobs:
            self._jobs.execute("insert into job (added) values (?)", (time.time(),))

    def take(self) -> bool:
        """Take the oldest job; tell whether there was one."""
        with self._lock, self._jobs:
            return self._jobs.execute(TAKE, (time.time(),)).rowcount == 1

    def waiting(self) -> dict[str, Any]:
        """Return how many jobs wait, and how long the oldest has, in seconds."""
        with self._lock:
            count, longest = self._jobs.execute(WAITING, (time.time(),)).fetchone()
        return {"waiting": count, "longest_wait_s": round(longest, 2)}

    def workers(self) -> list[int]:
        """Return the process ids of the workers that run."""
        with self._lock:
            return [pid for pid, worker in self._workers.items() if worker.poll() is None]

    def start_worker(self) -> int:
        """Start a worker."""
        worker = Path(__file__).with_name("worker.py")
        process = subprocess.Popen([sys.executable, str(worker), self.url])
        with self._lock:
            self._workers[process.pid] = process
        return process.pid

    def stop_worker(self, pid: int) -> bool:
        """Stop a worker; tell whether there was one of that id."""
        with self._lock:
            worker = self._workers.pop(pid, None)
        if worker is None:
            return False
        worker.kill()
        worker.wait()
        return True


class Handler(BaseHTTPRequestHandler):
    """What the queue is asked by HTTP."""

    queue: Queue

    def do_GET(self) -> None:
        """Answer what waits, or who works."""
        if self.path == "/queue":
            self._answer(200, self.queue.waiting())
        elif self.path == "/workers":
            self._answer(200, {"pids": self.queue.workers()})
        else:
            self._answer(404, {"unknown": self.path})

    def do_POST(self) -> None:
        """Give out a job, or start a worker."""
        if self.path == "/jobs/next":
            self._answer(200, {"taken": self.queue.take()})
        elif self.path == "/workers":
            self._answer(201, {"started": self.queue.start_worker()})
        else:
            self._answer(404, {"unknown": self.path})

    def do_DELETE(self) -> None:
        """Stop a worker."""
        pid = self.path.removeprefix("/workers/")
        is_stopped = pid.isdecimal() and self.queue.stop_worker(int(pid))
        self._answer(200 if is_stopped else 404, {"stopped": is_stopped})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing of each request."""

    def _answer(self, code: int, facts: dict[str, Any]) -> None:
        body = json.dumps(facts).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(folder: Path) -> None:
    """Serve until the process is ended; its workers end with it."""
    lock = (folder / "lock").open("w")
    # Held as long as this process lives, so that nobody takes a dead one for a running one.
    fcntl.flock(lock, fcntl.LOCK_EX)
    Handler.queue = queue = Queue(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    queue.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    is_over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_over.set())
    queue.start_worker()
    told = folder / "service.tmp"
    told.write_text(json.dumps({"pid": os.getpid(), "port": server.server_port}))
    told.rename(folder / "service.json")
    while not is_over.wait(EVERY_S):
        queue.add()
    for pid in queue.workers():
        queue.stop_worker(pid)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
