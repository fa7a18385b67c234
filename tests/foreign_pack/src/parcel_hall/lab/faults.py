"""What can go wrong in the hall, done from outside: by a hand at the panel, and by a signal."""

import signal
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from parcel_hall.lab.programs import Program
from runbook_nb import Fault


def faults_of(rows: Path, scanner: Program) -> Mapping[str, Fault]:
    """Return the faults of a hall by name."""
    found = (
        Fault(
            name="chute_closed",
            title="Somebody closed the chute to the quay",
            inject=lambda: _set_chute(rows, "quay", is_open=False),
            heal=lambda: _set_chute(rows, "quay", is_open=True),
        ),
        Fault(
            name="scanner_hung",
            title="The scanner hangs: its process is there and reads nothing",
            inject=lambda: scanner.signal(signal.SIGSTOP),
            heal=lambda: scanner.signal(signal.SIGCONT),
        ),
    )
    return {fault.name: fault for fault in found}


def _set_chute(rows: Path, name: str, *, is_open: bool) -> None:
    """Turn the switch at the chute itself, which the service only learns of by its rows."""
    with closing(sqlite3.connect(rows, timeout=10)) as file, file:
        file.execute("update chute set is_open = ? where name = ?", (int(is_open), name))
