"""How what is affected is sealed."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._database.owner import AS_OWNER
from runbook_nb.packs.control_plane.systems._database.snapshot_files import (
    place_of,
    write_snapshot,
)
from runbook_nb.packs.control_plane.systems.snapshots._affected import affected, scope_of
from runbook_nb.probes.calls import Systems, action
from runbook_nb.runbook.keys import signing_seal
from runbook_nb.text.values import Json

# GDPR, article 33: the authority is told within 72 hours of becoming aware.
AUTHORITY_WITHIN: Final = timedelta(hours=72)


@action(timeout_s=120, repeatable=True)
def seal(systems: Systems, *, window: timedelta) -> Json:
    """Keep the affected rows, who took what out, and how the walls stand, hashed and signed.

    Returns counts, ids and the way to the snapshot, and no content. Raises NothingDoneError
    without a key to sign with.
    """
    lines = _read(systems, window)
    now, scope = datetime.now(UTC), scope_of(lines)
    about = {"sealed_at": now.isoformat(), "lines": len(lines), "scope": scope}
    snapshot = write_snapshot(place_of(systems), lines, about, signing_seal())
    return {
        "snapshot": str(snapshot.folder),
        "lines": len(lines),
        "rows_sha256": snapshot.manifest["rows_sha256"],
        "signed_by": snapshot.manifest["signed_by"],
        "scope": scope,
        "the authority is told before": (now + AUTHORITY_WITHIN).isoformat(timespec="minutes"),
    }


@seal.rehearsal
def _(systems: Systems, *, window: timedelta) -> Json:
    lines = _read(systems, window)
    return {"would seal": len(lines), "in": str(place_of(systems)), "scope": scope_of(lines)}


def _read(systems: Systems, window: timedelta) -> list[dict[str, Any]]:
    """Read all lines as the owner, from whom nothing is hidden."""
    database = systems.database()
    with database.transaction(rollback=True):
        database.rows(AS_OWNER)
        return list(affected(systems, window=window))
