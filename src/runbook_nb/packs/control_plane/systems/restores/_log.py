"""The write-ahead log after a backup: gathered without a write to the source, searched for loss."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems._database.backup_files import (
    is_segment,
    run_program,
)
from runbook_nb.packs.control_plane.systems._database.owner import owner_dsn
from runbook_nb.packs.control_plane.systems.restores._place import Backup, Place
from runbook_nb.probes.calls import Systems

_DELETED: Final = re.compile(r"tx: +(\d+),.* desc: DELETE .* rel \d+/\d+/(\d+) ")
_COMMITTED: Final = re.compile(
    r"tx: +(\d+), lsn: ([0-9A-F/]+),.* desc: COMMIT (\S+ \S+) UTC(?:.*subxacts: ([\d ]+))?"
)

FLUSHED: Final = "select (pg_current_wal_flush_lsn() - 1)::text as place"

FILES: Final = """
select pg_relation_filenode(oid) as file, relname as name
from pg_class
where relnamespace = 'public'::regnamespace
  and relkind = 'r'
"""


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A transaction that deleted rows: its number, when it committed, rows by table."""

    transaction: int
    at: datetime
    deleted: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows it deleted."""
        return sum(self.deleted.values())


@dataclass(frozen=True, kw_only=True)
class Log:
    """The segments in ``folder`` by their place; those after a gap cannot be replayed."""

    folder: Path
    segments: Mapping[int, str]

    @property
    def runs(self) -> list[list[int]]:
        """The places without a gap between them, run by run."""
        runs: list[list[int]] = [[min(self.segments)]]
        for before, number in pairwise(sorted(self.segments)):
            if number == before + 1:
                runs[-1].append(number)
            else:
                runs.append([number])
        return runs


def gather(systems: Systems, place: Place, backup: Backup, to: Path) -> Log:
    """Bring the archived segments and the one being written together in a folder.

    The archived ones are linked. The last is received as a replica receives it, so that the
    source need not close it.
    """
    to.mkdir(parents=True)
    archived = place.archived(backup)
    for file in archived.values():
        (to / file.name).symlink_to(file)
    for file in _receive(systems, place, to / "received"):
        target = to / file.name.removesuffix(".partial")
        if not target.is_symlink():
            file.rename(target)
            place.give(target)
    # After a restore in place the history of the timelines comes along; it is no segment.
    names = [file.name for file in to.iterdir() if file.is_file() and is_segment(file.name)]
    return Log(folder=to, segments={backup.number(name): name for name in names})


def find_damage(systems: Systems, place: Place, log: Log) -> Damage | None:
    """Find the newest of the transactions that deleted many rows: half of the most, or more."""
    known = deletions(systems, place, log)
    most = max((one.rows for one in known), default=0)
    large = [one for one in known if 2 * one.rows >= most]
    return max(large, key=lambda one: one.at, default=None)


def deletions(systems: Systems, place: Place, log: Log) -> list[Damage]:
    """Return every committed transaction that deleted rows of the platform's tables."""
    tables = {row["file"]: row["name"] for row in systems.database().rows(FILES)}
    deleted: dict[int, Counter[str]] = {}
    commits: dict[int, datetime] = {}
    parents: dict[int, int] = {}
    for line in _records(place, log):
        if found := _DELETED.search(line):
            table = tables.get(int(found[2]))
            if table:
                deleted.setdefault(int(found[1]), Counter())[table] += 1
        elif found := _COMMITTED.search(line):
            commits[int(found[1])] = datetime.fromisoformat(found[3]).replace(tzinfo=UTC)
            parents |= dict.fromkeys(map(int, (found[4] or "").split()), int(found[1]))
    by_transaction: dict[int, Counter[str]] = {}
    for number, rows in deleted.items():
        by_transaction.setdefault(parents.get(number, number), Counter()).update(rows)
    return [
        Damage(transaction=number, at=commits[number], deleted=dict(rows))
        for number, rows in by_transaction.items()
        if number in commits
    ]


def _records(place: Place, log: Log) -> Iterator[str]:
    for numbers in log.runs:
        done = run_program(
            [
                *(place.programs / "pg_waldump", "--path", log.folder),
                *("--rmgr=Heap", "--rmgr=Transaction"),
                *(log.segments[numbers[0]], log.segments[numbers[-1]]),
            ],
            timeout_s=1800,
        )
        # It ends with an error where the log ends, which is no error here.
        yield from done.stdout.splitlines()


def _receive(systems: Systems, place: Place, to: Path) -> list[Path]:
    """Receive the segment that is being written, up to what is safely on disk now."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    to.mkdir()
    known = conninfo_to_dict(owner_dsn(systems))
    # Beside the command and not in it: every account may read the arguments of a process.
    password = str(known.pop("password", ""))
    done = run_program(
        [
            *(place.programs / "pg_receivewal", "--dbname", make_conninfo("", **known)),
            *("--directory", to, "--no-loop", "--no-sync"),
            *("--endpos", str(systems.database().value(FLUSHED))),
        ],
        environment={"PGPASSWORD": password},
        timeout_s=120,
    )
    if done.returncode != 0:
        message = f"The newest part of the log could not be received: {done.stderr.strip()}"
        raise ActionError(message)
    return sorted(to.iterdir())
