"""What is read of the tabs that watch missions."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.workspace_tabs._reload import (
    AS_STORED,
    AT_WORK,
    MOST,
    reload,
)
from runbook_nb.packs.control_plane.systems.workspace_tabs._tabs import BEHIND, DEAF_AFTER_S, OPEN
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="tabs")
def behind(systems: Systems) -> Reading:
    """Count open tabs, older than a minute, that hold an older revision than the stored one.

    Raises NoAnswerError when no tab is open, or none says which revision it holds.
    """
    database = systems.database()
    open_tabs = database.row(OPEN)
    if not open_tabs["with_revision"]:
        message = (
            f"{open_tabs['tabs']} tabs are open, and none says which revision it holds; whether "
            "they differ cannot be told."
        )
        raise NoAnswerError(message)
    rows = database.rows(BEHIND, deaf_after_s=DEAF_AFTER_S)
    return Reading(value=len(rows), detail={**open_tabs, "behind": rows})


@probe(unit="missions", timeout_s=20)
def wrong_reloads(systems: Systems) -> Reading:
    """Count missions at work whose reload does not bring the stored state, or never ends.

    Up to 20 are tried, those of each tenant in turn, as a tab does: by the AG-UI events that the
    runtime sends. Raises NoAnswerError while no mission is at work.
    """
    rows = systems.database().rows(AT_WORK, most=MOST)
    if not rows:
        message = "No session is at work, so nothing can be reloaded."
        raise NoAnswerError(message)
    brought = [{"mission": row["mission"], "a reload brings": reload(systems, row)} for row in rows]
    found = [one for one in brought if one["a reload brings"] != AS_STORED]
    return Reading(value=len(found), detail=found or {"reloads tried": len(brought)})
