"""What speaks for restoring the whole project in place, what it costs, and to which moment.

Two signs must agree that know nothing of each other: the list of rows that the newest backup keeps,
and the write-ahead log, which tells what was deleted whatever the tables say now.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems._database.backup_files import moment
from runbook_nb.packs.control_plane.systems._database.backup_listing import answer
from runbook_nb.packs.control_plane.systems._database.losses import AT_ONCE, losses
from runbook_nb.packs.control_plane.systems._database.row_lists import newest, read_list
from runbook_nb.packs.control_plane.systems.restores import _log as logs
from runbook_nb.packs.control_plane.systems.restores._copying import DAMAGE
from runbook_nb.packs.control_plane.systems.restores._log import Damage
from runbook_nb.packs.control_plane.systems.restores._place import Place
from runbook_nb.probes.calls import Systems

# As in the runbook's own check: below it, single rows are worth saving.
SHARE: Final = 0.5
SHOWN: Final = 10
QUESTIONS: Final = """
select format('select %%L as "table", count(*) as rows from public.%%I where %%I > ',
              table_name, table_name, column_name) as question
from information_schema.columns
join pg_tables on schemaname = table_schema and tablename = table_name
where table_schema = 'public' and column_name in ('created_at', 'occurred_at')
order by table_name
"""


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """A restore in place: its target in whole seconds, both signs, and the rows it would cost."""

    target: int
    known: int
    lost: int
    deletions: Sequence[Damage]
    written_since: dict[str, int]
    restorable: dict[str, Any]

    @property
    def logged(self) -> int:
        """How many missions the log has seen deleted."""
        return sum(one.deleted["missions"] for one in self.deletions)

    def shown(self) -> dict[str, Any]:
        """Return what a person has to know before the yes."""
        return {
            "restore to": datetime.fromtimestamp(self.target, UTC).isoformat(),
            "missions gone, by the list of the backup": f"{self.lost} of {self.known}",
            "missions deleted, by the log": self.logged,
            "deleted at": [one.at.isoformat() for one in self.deletions[:SHOWN]],
            "rows written since, which would be lost": self.written_since,
        }

    def demand(self) -> None:
        """Raise NothingDoneError where the signs do not agree, or the moment saves nothing."""
        if not self.lost or self.lost < SHARE * self.known:
            _decline(
                f"The list of the newest backup misses {self.lost} of {self.known} missions, less "
                "than half. Bring the lost rows back instead."
            )
        if self.logged < self.lost:
            _decline(
                f"The list misses {self.lost} missions, and the log has seen {self.logged} of them "
                "deleted. Find out what the rest became before anything is replaced."
            )
        if self.target >= self.deletions[0].at.timestamp():
            _decline(
                f"The missions were deleted at {self.deletions[0].at.isoformat()}; a restore to a "
                "later moment brings none of them back."
            )
        earliest = self.restorable["earliest_physical_backup_date_unix"]
        if self.target < earliest:
            _decline(f"The partner restores to no moment before {_said(earliest)}.")


def planned(systems: Systems, *, to: str) -> InPlace:
    """Gather both signs; ``to`` is ``damage`` or a moment in ISO 8601, UTC. Changes nothing."""
    chosen = None if to == DAMAGE else moment(to)
    rows = [row for row in losses(systems) if row["table"] == "missions"]
    lost = sum(row["gone"] for row in rows if row["verdict"] == "lost")
    deletions = _explaining(_deletions(systems), lost=lost)
    folder, _ = newest(systems)
    # A whole second, as the partner takes it: the last one that ended before the first deletion.
    at = chosen or (deletions[0].at if deletions else datetime.now(UTC))
    return InPlace(
        target=int(at.timestamp()),
        known=len(read_list(folder)["rows"]["missions"]),
        lost=lost,
        deletions=deletions,
        written_since=_written_since(systems, datetime.fromtimestamp(int(at.timestamp()), UTC)),
        restorable=answer(systems)["physical_backup_data"],
    )


def _explaining(deletions: Sequence[Damage], *, lost: int) -> list[Damage]:
    """Return the newest deletions that explain a loss: what was deleted before was made good."""
    found: list[Damage] = []
    for one in reversed(deletions):
        if sum(each.deleted["missions"] for each in found) >= lost:
            break
        found.insert(0, one)
    return found


def _deletions(systems: Systems) -> list[Damage]:
    """Return the transactions that deleted missions in one go, the first of them first."""
    place = Place.of(systems)
    with tempfile.TemporaryDirectory(prefix="log-") as folder:
        log = logs.gather(systems, place, place.newest_backup(), Path(folder) / "log")
        found = logs.deletions(systems, place, log)
    large = [one for one in found if one.deleted.get("missions", 0) >= AT_ONCE]
    return sorted(large, key=lambda one: one.at)


def _written_since(systems: Systems, at: datetime) -> dict[str, int]:
    database = systems.database()
    questions = [f"{row['question']}%(at)s" for row in database.rows(QUESTIONS)]
    rows = database.rows(" union all ".join(questions), at=at)
    return {row["table"]: row["rows"] for row in rows if row["rows"]}


def _said(unix: int) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat()


def _decline(why: str) -> None:
    message = f"{why} Nothing was sent to the partner."
    raise NothingDoneError(message)
