"""Which inspections an action is for; each of these says so when there is none."""

from datetime import timedelta
from typing import Any, Final

from runbook_nb.errors import NothingDoneError
from runbook_nb.packs.control_plane.systems.inspections._live import Live, Pair, live, pair
from runbook_nb.packs.control_plane.systems.inspections._pages import SLOW_S, page_times
from runbook_nb.packs.control_plane.systems.inspections._rows import held, lost, timed_out
from runbook_nb.probes.calls import Systems

# A mission that waits for less than this has just been begun.
_YOUNG: Final = timedelta(seconds=2)


def slow(systems: Systems, window: timedelta) -> tuple[list[Pair], list[Live]]:
    """Return what waits for toolkits that Composio's log calls slow, and what is under way of it.

    Raises NothingDoneError where nothing does.
    """
    under_way = live(systems)
    times = page_times(systems, under_way, window=window)
    toolkits = {one["toolkit"] for one in times if one["partner_s"] > SLOW_S}
    reading = [one for one in under_way if one["toolkit"] in toolkits]
    cut_off = timed_out(systems.database(), under_way, window=window)
    pairs = _pairs(reading, [row for row in cut_off if row["toolkit"] in toolkits])
    if not pairs:
        message = f"No inspection waits for a toolkit whose page takes longer than {SLOW_S:g} s."
        raise NothingDoneError(message)
    return pairs, reading


def wide(systems: Systems, above: int, window: timedelta) -> tuple[list[Pair], list[Live]]:
    """Return what asks for more than so many rows, and what is under way of it.

    Raises NothingDoneError where nothing does.
    """
    under_way = live(systems)
    reading = [one for one in under_way if one["rows_wanted"] > above]
    cut_off = timed_out(systems.database(), under_way, window=window)
    pairs = _pairs(reading, [row for row in cut_off if row["rows_wanted"] > above])
    if not pairs:
        message = f"No inspection asks for more than {above} rows."
        raise NothingDoneError(message)
    return pairs, reading


def surplus(systems: Systems) -> list[Live]:
    """Return the inspections beyond the oldest of each mission and toolkit.

    Raises NothingDoneError where each stands alone.
    """
    seen: set[Pair] = set()
    more = []
    for one in live(systems):
        if pair(one) in seen:
            more.append(one)
        seen.add(pair(one))
    if not more:
        message = "No mission's toolkit is inspected more than once."
        raise NothingDoneError(message)
    return more


def unfinished(systems: Systems, window: timedelta) -> list[Pair]:
    """Return what was lost, or timed out; raises NothingDoneError where there is nothing."""
    database, under_way = systems.database(), live(systems)
    cut_off = timed_out(database, under_way, window=window)
    pairs = _pairs(cut_off, lost(database, under_way, longer_than=_YOUNG))
    if not pairs:
        message = "No inspection was lost, and none timed out."
        raise NothingDoneError(message)
    return pairs


def on_hold(systems: Systems) -> list[dict[str, Any]]:
    """Return the held missions, the longest first; raises NothingDoneError without one."""
    rows = held(systems.database())
    if not rows:
        message = "No mission's inspection is on hold."
        raise NothingDoneError(message)
    return rows


def by_mission(pairs: list[Pair]) -> dict[str, list[str]]:
    """Return the toolkits of each mission."""
    return {
        mission: sorted({toolkit for one, toolkit in pairs if one == mission})
        for mission in sorted({mission for mission, _toolkit in pairs})
    }


def _pairs(*found: list[dict[str, Any]]) -> list[Pair]:
    return sorted({pair(one) for rows in found for one in rows})
