"""What is read of the inspections."""

from collections import Counter
from datetime import timedelta

from runbook_nb.packs.control_plane.systems._executions import changes as changing
from runbook_nb.packs.control_plane.systems._executions import executed
from runbook_nb.packs.control_plane.systems.inspections._live import live, machines, pair
from runbook_nb.packs.control_plane.systems.inspections._pages import MOMENT, page_times
from runbook_nb.packs.control_plane.systems.inspections._rows import CALLS, held, timed_out
from runbook_nb.packs.control_plane.systems.inspections._rows import lost as lost_rows
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure


@probe(unit="inspections")
def too_slow(systems: Systems, *, longer_than: timedelta, window: timedelta) -> Reading:
    """Count the inspections that go on for longer than this, or whose newest end was a timeout.

    The detail says how long each has waited, read and written. Toolkits on hold, missions that were
    stopped, and those that wait for a customer's consent do not count.
    """
    under_way = live(systems)
    slow = [one for one in under_way if one["age_s"] > longer_than.total_seconds()]
    cut_off = timed_out(systems.database(), under_way, window=window)
    missions = len({one["mission_id"] for one in [*slow, *cut_off]})
    impact = Impact(
        severity="SEV3",
        figures=(
            ImpactFigure(
                name="Missions without their inspection", value=str(missions), weight=missions
            ),
        ),
    )
    return Reading(
        value=len(slow) + len(cut_off),
        detail={"under way": slow, "timed out": cut_off},
        impact=impact if missions else None,
    )


@probe(unit="inspections")
def lost(systems: Systems, *, longer_than: timedelta) -> Reading:
    """Count the toolkits for whose inspection a mission waits longer than this, and nobody works.

    A restart of the agent loses what it inspects.
    """
    rows = lost_rows(systems.database(), live(systems), longer_than=longer_than)
    return Reading(value=len(rows), detail=rows)


@probe(unit="s", timeout_s=20)
def partner_time(systems: Systems, *, window: timedelta) -> Reading:
    """Return how long the slowest toolkit's own work takes for a page, by Composio's log.

    The median of its newest five; 0 where nothing was inspected in the window. Raises NoAnswerError
    while an inspection waits for its first page, and where the log does not know the pages.
    """
    times = page_times(systems, live(systems), window=window)
    return Reading(value=max((one["partner_s"] for one in times), default=0.0), detail=times)


@probe(unit="s", timeout_s=20)
def way_time(systems: Systems, *, window: timedelta) -> Reading:
    """Return how much longer a page takes for us than for Composio itself, at the slowest toolkit.

    0 where nothing was inspected in the window; raises what ``partner_time`` raises.
    """
    times = page_times(systems, live(systems), window=window)
    return Reading(value=max((one["way_s"] for one in times), default=0.0), detail=times)


@probe(unit="calls", timeout_s=20)
def changes(systems: Systems, *, window: timedelta) -> Reading:
    """Count the calls of inspections that changed something at a customer's tool.

    By our rows, and by Composio's log for calls whose row names another tool than it executed. A
    tool counts as reading only where its name says so.
    """
    database = systems.database()
    rows = database.rows(CALLS, window=window)
    log = executed(systems, since=database.value(MOMENT, window=window)) if rows else []
    tools = {one["id"]: one["actionKey"] for one in log}
    found = [
        {**row, "executed": tools.get(row["log_id"], row["action"])}
        for row in rows
        if changing(row["action"]) or changing(tools.get(row["log_id"], row["action"]))
    ]
    return Reading(value=len(found), detail=found[:20])


@probe(unit="rows")
def widest(systems: Systems, *, window: timedelta) -> Reading:
    """Return the largest sample that an inspection under way, or one that timed out, asks for."""
    under_way = live(systems)
    cut_off = timed_out(systems.database(), under_way, window=window)
    rows = sorted([*under_way, *cut_off], key=lambda one: -one["rows_wanted"])
    return Reading(value=rows[0]["rows_wanted"] if rows else 0, detail=rows[:20])


@probe(unit="inspections")
def repeated(systems: Systems) -> Reading:
    """Count the inspections under way beyond the first of each mission and toolkit."""
    times = Counter(pair(one) for one in live(systems))
    more = [
        {"mission": mission, "toolkit": toolkit, "times": count}
        for (mission, toolkit), count in times.most_common()
        if count > 1
    ]
    return Reading(value=sum(times.values()) - len(times), detail=more)


@probe(unit="s")
def time_limit(systems: Systems) -> Reading:
    """Return the time that the strictest machine of the agent gives an inspection to read."""
    found = {one["machine"]: one["limit_s"] for one in machines(systems)}
    return Reading(value=min(found.values()), detail=found)


@probe(unit="workers")
def workers(systems: Systems) -> Reading:
    """Return how many inspections the machine with the fewest workers reads at a time."""
    found = {
        one["machine"]: {
            "workers": one["workers"],
            "waiting": sum(each["phase"] == "queued" for each in one["inspections"]),
        }
        for one in machines(systems)
    }
    return Reading(value=min(one["workers"] for one in found.values()), detail=found)


@probe(unit="missions")
def hold_due(systems: Systems, *, after: timedelta) -> Reading:
    """Count the missions whose inspection has been on hold for longer than this."""
    database = systems.database()
    now = database.value("select now()")
    rows = held(database)
    return Reading(value=sum(now - row["held_at"] > after for row in rows), detail=rows)
