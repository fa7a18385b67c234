"""What is read of evidence and of the objects that hold it."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.evidence_objects._artifacts import (
    every_artifact,
    lost,
    places,
    uploads,
)
from runbook_nb.packs.control_plane.systems.evidence_objects._content import Pace
from runbook_nb.packs.control_plane.systems.evidence_objects._damage import sweep
from runbook_nb.packs.control_plane.systems.evidence_objects._hashes import misrecorded_rows
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure


@probe(unit="objects", timeout_s=30)
def missing(systems: Systems) -> Reading:
    """Count artifacts whose object was there once and is in no place of Storage any more.

    What retention purged after 365 days, with an audit event that names it, does not count.
    """
    gone = lost(every_artifact(systems))
    there = places(systems, gone)
    rows = [
        each.shown(versioned=each.versioned, hours=round(each.age.total_seconds() / 3600))
        for each in gone
        if each.artifact not in there
    ]
    figure = ImpactFigure(name="Evidence missing", value=f"{len(rows):,}", weight=len(rows))
    return Reading(value=len(rows), detail=rows[:50], impact=Impact(severity="", figures=(figure,)))


@probe(unit="objects", timeout_s=30)
def elsewhere(systems: Systems) -> Reading:
    """Count artifacts whose object is not at its path, and lies under its name in another place."""
    gone = lost(every_artifact(systems))
    there = places(systems, gone)
    rows = [each.shown(lies=there[each.artifact]) for each in gone if each.artifact in there]
    return Reading(value=len(rows), detail=rows[:50])


@probe(unit="objects", timeout_s=90)
def damaged(systems: Systems, *, bytes_per_s: int = 5_000_000, within_s: int = 60) -> Reading:
    """Count objects whose bytes do not have the SHA-256 of their row, the row not being at fault.

    Every object is read as it comes, the newest first, at most ``bytes_per_s`` bytes a second and
    for ``within_s`` seconds, which leave time for the database. Raises NoAnswerError where that was
    too short and nothing was wrong until then.
    """
    artifacts = every_artifact(systems)
    pace = Pace(bytes_per_s=bytes_per_s, within_s=within_s)
    found = sweep(systems.http("supabase_storage"), artifacts, pace=pace)
    count = len(found.damages)
    figure = ImpactFigure(name="Evidence damaged", value=f"{count:,}", weight=count)
    return Reading(
        value=count,
        detail={**found.progress, "damaged": [each.shown() for each in found.damages[:50]]},
        impact=Impact(severity="", figures=(figure,)),
    )


@probe(unit="rows", timeout_s=60)
def misrecorded(systems: Systems) -> Reading:
    """Count rows whose hash is no SHA-256 in lower case, or that the object and a witness belie."""
    rows = misrecorded_rows(systems)
    detail = [each.shown() for each in rows[:50]]
    return Reading(value=len(rows), detail=detail)


@probe(unit="%", timeout_s=30)
def not_uploaded(systems: Systems) -> Reading:
    """Return the share of the uploads of a day that never arrived; the last 5 minutes' are open."""
    tried, failed = uploads(every_artifact(systems))
    if not tried:
        message = "No upload was due yet, so there is no rate."
        raise NoAnswerError(message)
    share = round(100 * len(failed) / len(tried), 1)
    figure = ImpactFigure(
        name="Uploads lost", value=f"{len(failed)} of {len(tried)}", weight=len(failed)
    )
    return Reading(
        value=share,
        detail={"tried": len(tried), "never arrived": [each.shown() for each in failed[:50]]},
        impact=Impact(severity="", figures=(figure,)),
    )
