"""What is read of the views behind the dashboards."""

from runbook_nb.packs.control_plane.systems.metric_views._definitions import changed_views
from runbook_nb.packs.control_plane.systems.metric_views._figures import differing
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="figures")
def recount(systems: Systems) -> Reading:
    """Count figures that are not what their source gives, in weeks that are over.

    Two views are recounted, the missions' summary and the funnel, by tenant and week; a week that
    the view has and its source does not counts as well.
    """
    rows = differing(systems.database())
    return Reading(value=len({row["figure"] for row in rows}), detail=rows)


# Operations health multiplies rows, so its definitions take long to ask where they differ.
@probe(unit="views", timeout_s=60)
def changed(systems: Systems) -> Reading:
    """Count views that read otherwise than committed and give other rows, or are missing.

    Both definitions are asked over the rows of now. A view that only reads differently is listed
    and not counted: its figures are right.
    """
    rows = changed_views(systems.database())
    return Reading(value=sum(row["rows that are others"] != 0 for row in rows), detail=rows)
