"""What is read of the views behind the dashboards."""

from runbook_nb.packs.control_plane.systems._database.dashboards import drifted
from runbook_nb.packs.control_plane.systems.metric_views._figures import differing
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="figures")
def recount(systems: Systems) -> Reading:
    """Count figures that are not what their source gives, in weeks that are over.

    Two views are recounted, the missions' summary and the funnel, by tenant and week.
    """
    rows = differing(systems.database())
    return Reading(value=len({row["figure"] for row in rows}), detail=rows)


@probe(unit="views")
def changed(systems: Systems) -> Reading:
    """Count views that neither read as committed nor give the figures of their source.

    One that only reads differently is listed and not counted: its figures are right.
    """
    database = systems.database()
    wrong = {row["figure"].partition(".")[0] for row in differing(database)}
    names = drifted(database, which="figures")
    rows = [{"view": name, "figures are wrong": name in wrong} for name in names]
    return Reading(value=sum(row["figures are wrong"] for row in rows), detail=rows)
