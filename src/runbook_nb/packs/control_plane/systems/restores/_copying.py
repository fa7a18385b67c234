"""The making of a proven copy: gather the log, find the damage, replay up to it, compare."""

import time
from datetime import UTC, datetime
from typing import Any, Final

from runbook_nb.errors import ActionError
from runbook_nb.packs.control_plane.systems._database.backup_files import moment
from runbook_nb.packs.control_plane.systems.restores import _log as logs
from runbook_nb.packs.control_plane.systems.restores import _proof as proof
from runbook_nb.packs.control_plane.systems.restores import _server as server
from runbook_nb.packs.control_plane.systems.restores._place import Backup, Place
from runbook_nb.packs.control_plane.systems.restores._server import reading
from runbook_nb.probes.calls import Systems

# The platform's target for a recovery, RTO: a restore that takes longer has missed it.
LONGEST_S: Final = 4 * 3600
DAMAGE, END = "damage", "end"

REPLAYED: Final = "select pg_last_xact_replay_timestamp() as at"
SUPERUSER: Final = "select rolname from pg_roles where oid = 10"


def make_proven(systems: Systems, place: Place, *, to: str) -> dict[str, Any]:
    """Make the copy, compare it with its source and keep the proof; returns the proof."""
    began = time.monotonic()
    server.remove(place)
    backup = place.newest_backup()
    server.room(place, backup)
    place.copy.mkdir(mode=0o711, parents=True)
    log = logs.gather(systems, place, backup, place.copy / "log")
    damage = logs.find_damage(systems, place, log)
    try:
        copy = _replay(systems, place, backup, log, target=_target(to, damage))
    except BaseException:
        server.remove(place)
        raise
    took_s = round(time.monotonic() - began, 1)
    found = _prove(systems, copy, to=to, damage=damage, took_s=took_s)
    place.keep_proof(found)
    return {**found, "segments": len(log.segments), "gaps": len(log.runs) - 1}


def _replay(
    systems: Systems, place: Place, backup: Backup, log: logs.Log, *, target: dict[str, str]
) -> server.Copy:
    """Start the copy; where the log has a gap and the target is not reached, say so."""
    user = systems.database().value(SUPERUSER)
    try:
        return server.make(place, backup, log, target=target, user=user, within_s=LONGEST_S)
    except ActionError as error:
        if len(log.runs) == 1:
            raise
        message = (
            f"The log has a gap after {log.segments[log.runs[0][-1]]}, so that moment cannot be "
            f'restored. Restore as far as the log reaches, with to="end". {error}'
        )
        raise ActionError(message) from error


def _target(to: str, damage: logs.Damage | None) -> dict[str, str]:
    """Return the recovery settings that stop the copy where it is wanted."""
    if to == END:
        return {}
    if to != DAMAGE:
        return {"recovery_target_time": moment(to).isoformat()}
    if damage is None:
        message = (
            "The log since the newest backup knows no transaction that deleted rows. Set the "
            "parameter restore_to to a moment before the damage, such as 2026-11-23T03:15:00Z."
        )
        raise ActionError(message)
    return {
        "recovery_target_xid": str(damage.transaction),
        "recovery_target_inclusive": "off",
    }


def _prove(
    systems: Systems, copy: server.Copy, *, to: str, damage: logs.Damage | None, took_s: float
) -> dict[str, Any]:
    with reading(copy) as database:
        reached = database.value(REPLAYED) or datetime.now(UTC)
        differences = proof.compare(database, systems, reached=reached)
    now = datetime.now(UTC)
    # Without damage, or with all of it replayed, what came since the last row is what is lost.
    until = damage.at if damage and (to != END or reached < damage.at) else now
    return {
        "at": now.isoformat(),
        "to": to,
        "reached": reached.isoformat(),
        "damage": {"at": damage.at.isoformat(), "deleted": damage.deleted} if damage else None,
        "took_s": took_s,
        "loss_s": round(max(0.0, (until - reached).total_seconds()), 3),
        **differences,
    }
