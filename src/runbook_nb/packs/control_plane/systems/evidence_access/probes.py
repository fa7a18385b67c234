"""Which evidence was shown before its review."""

from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._database.exposures import UNREVIEWED
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure

ANY: Final = "select exists (select from mission_evidence)"


@probe(unit="artifacts", timeout_s=30)
def unreviewed(systems: Systems) -> Reading:
    """Count artifacts that wait for their review and were opened or exported all the same.

    Whoever approves the mission opens them in order to review, and does not count; nor does what is
    withheld already. Raises NoAnswerError when there is no evidence at all.
    """
    database = systems.database()
    if not database.value(ANY):
        message = "There is no evidence at all, so none can have been shown."
        raise NoAnswerError(message)
    withheld = systems.setting("supabase_storage", "withheld_bucket")
    rows = database.rows(UNREVIEWED, withheld=withheld)
    detail = [
        {
            "Artifact": row["artifact"],
            "mission": row["mission_id"],
            "tenant": row["tenant_id"],
            "times shown": row["times"],
            "to people": len(row["actors"]),
            "first": row["first"],
            "last": row["last"],
        }
        for row in rows
    ]
    figure = ImpactFigure(name="Unreviewed artifacts shown", value=f"{len(rows)}", weight=len(rows))
    return Reading(
        value=len({row["artifact"] for row in rows}),
        detail=detail,
        impact=Impact(severity="SEV1" if rows else "", figures=(figure,)),
    )
