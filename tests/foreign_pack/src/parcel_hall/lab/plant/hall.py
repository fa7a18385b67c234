"""The hall's service: parcels and chutes in a SQLite file, the panel, and the notice board.

A process of its own: ``python hall.py FOLDER``.
"""

import fcntl
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

EVERY_S = 0.15  # a parcel comes in
CHUTES = ("north", "south", "quay")
SCHEMA = """
create table if not exists chute (name text primary key, is_open integer not null);
create table if not exists parcel (
    id integer primary key, chute text not null, arrived real not null, scanned real, sorted real
);
"""
SORT = """
update parcel set sorted = :now
where scanned is not null and sorted is null
  and chute in (select name from chute where is_open = 1)
"""
CIRCLING = """
select chute.name, count(parcel.id), coalesce(max(:now - parcel.scanned), 0)
from chute left join parcel
  on parcel.chute = chute.name and parcel.scanned is not null and parcel.sorted is null
group by chute.name order by chute.name
"""


class Hall:
    """The belt and its chutes."""

    def __init__(self, folder: Path) -> None:
        self.token = (folder / "panel.token").read_text(encoding="utf-8")
        self.notices = folder / "notices.jsonl"
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(folder / "hall.db", check_same_thread=False)
        with self._rows:
            self._rows.executescript(SCHEMA)
            self._rows.executemany("insert into chute values (?, 1)", [(name,) for name in CHUTES])
        self._count = 0

    def turn(self) -> None:
        """Take a parcel in, and let those that are read leave by an open chute."""
        chute = CHUTES[self._count % len(CHUTES)]
        self._count += 1
        self._write("insert into parcel (chute, arrived) values (:chute, :now)", chute=chute)
        self._write(SORT)

    def scan(self) -> int:
        """Read the labels of all parcels; return of how many."""
        return self._write("update parcel set scanned = :now where scanned is null")

    def set_chute(self, name: str, *, is_open: bool) -> bool:
        """Open or close a chute; tell whether there is one of that name."""
        sql = "update chute set is_open = :is_open where name = :name"
        return self._write(sql, name=name, is_open=int(is_open)) == 1

    def chutes(self) -> list[dict[str, Any]]:
        """Return each chute with its state."""
        rows = self._read("select name, is_open from chute order by name")
        return [{"name": name, "open": bool(is_open)} for name, is_open in rows]

    def metrics(self) -> str:
        """Return the figures of the belt in Prometheus' text format."""
        ((unread,),) = self._read("select count(*) from parcel where scanned is null")
        ((done,),) = self._read("select count(*) from parcel where sorted is not null")
        chutes = self._read(CIRCLING)
        lines = [
            "# HELP hall_parcels_unscanned Parcels on the belt whose label nobody has read.",
            "# TYPE hall_parcels_unscanned gauge",
            f"hall_parcels_unscanned {unread}",
            "# TYPE hall_parcels_sorted_total counter",
            f"hall_parcels_sorted_total {done}",
            "# HELP hall_parcels_circling Parcels with a read label on the belt.",
            "# TYPE hall_parcels_circling gauge",
            *(f'hall_parcels_circling{{chute="{name}"}} {count}' for name, count, _ in chutes),
            "# TYPE hall_longest_round_seconds gauge",
            *(f'hall_longest_round_seconds{{chute="{name}"}} {s:.2f}' for name, _, s in chutes),
        ]
        return "\n".join(lines) + "\n"

    def _write(self, sql: str, **values: object) -> int:
        with self._lock, self._rows:
            return self._rows.execute(sql, {"now": time.time(), **values}).rowcount

    def _read(self, sql: str) -> list[Any]:
        with self._lock:
            return self._rows.execute(sql, {"now": time.time()}).fetchall()


class Handler(BaseHTTPRequestHandler):
    """What the hall is asked by HTTP."""

    hall: Hall

    def do_GET(self) -> None:
        """Tell figures and chutes."""
        if self.path == "/metrics":
            self._answer(200, self.hall.metrics(), kind="text/plain; version=0.0.4")
        elif self.path == "/chutes":
            self._answer(200, self.hall.chutes())
        else:
            self._answer(404, {"unknown": self.path})

    def do_POST(self) -> None:
        """Take in what a scanner has read, or a notice."""
        if self.path == "/scans":
            self._answer(200, {"scanned": self.hall.scan()})
        elif self.path == "/notices":
            with self.hall.notices.open("a", encoding="utf-8") as file:
                file.write(json.dumps(self._body()) + "\n")
            self._answer(201, {"posted": True})
        else:
            self._answer(404, {"unknown": self.path})

    def do_PUT(self) -> None:
        """Open or close a chute, for whoever has the panel's token."""
        body = self._body()
        if self.headers.get("Authorization") != f"Bearer {self.hall.token}":
            self._answer(403, {"refused": "the panel is locked"})
        elif self.hall.set_chute(self.path.removeprefix("/chutes/"), is_open=body["open"]):
            self._answer(200, body)
        else:
            self._answer(404, {"unknown": self.path})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing of each request."""

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, code: int, said: object, *, kind: str = "application/json") -> None:
        body = (said if isinstance(said, str) else json.dumps(said)).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(folder: Path) -> None:
    """Serve until the process is ended."""
    lock = (folder / "hall.lock").open("w")
    # Held as long as this process lives, so that nobody takes a dead one for a running one.
    fcntl.flock(lock, fcntl.LOCK_EX)
    Handler.hall = hall = Hall(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    is_over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_over.set())
    told = folder / "hall.tmp"
    told.write_text(json.dumps({"pid": os.getpid(), "port": server.server_port}))
    told.rename(folder / "hall.json")
    while not is_over.wait(EVERY_S):
        hall.turn()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
