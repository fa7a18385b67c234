"""How long the pages of inspections took: by our own rows, and by Composio's log of the same."""

from collections import defaultdict
from datetime import timedelta
from statistics import median
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._executions import executed
from runbook_nb.packs.control_plane.systems.inspections._live import Live
from runbook_nb.packs.control_plane.systems.inspections._rows import PAGES
from runbook_nb.probes.calls import Systems

# The newest pages tell how a toolkit is now; one slow page among five is luck.
NEWEST: Final = 5
# Alert table: a call of Composio's takes less than 5 s.
SLOW_S: Final = 5.0
MOMENT: Final = "select now() - %(window)s"


def page_times(
    systems: Systems, under_way: list[Live], *, window: timedelta
) -> list[dict[str, Any]]:
    """Return each toolkit's median seconds for a page: in all, and at Composio itself.

    The slowest in all comes first. Raises NoAnswerError where Composio's log knows none of a
    toolkit's pages, or where an inspection waits for its very first one.
    """
    _demand_pages(under_way)
    database = systems.database()
    rows = database.rows(PAGES, window=window, newest=NEWEST)
    if not rows:
        return []
    log = executed(systems, since=database.value(MOMENT, window=window))
    partner_ms = {one["id"]: float(one["executionTime"]) for one in log}
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        found[row["toolkit"]] += [
            (float(row["latency_ms"]), partner_ms[log])
            for log in [row["log_id"]]
            if log in partner_ms
        ]
    if unknown := sorted({row["toolkit"] for row in rows if not found[row["toolkit"]]}):
        message = f"Composio's log knows none of the pages of {', '.join(unknown)}."
        raise NoAnswerError(message)
    times = [_summed(toolkit, pages) for toolkit, pages in found.items()]
    return sorted(times, key=lambda one: -one["page_s"])


def _summed(toolkit: str, pages: list[tuple[float, float]]) -> dict[str, Any]:
    return {
        "toolkit": toolkit,
        "pages": len(pages),
        "page_s": round(median(ours for ours, _partner in pages) / 1000, 2),
        "partner_s": round(median(partner for _ours, partner in pages) / 1000, 2),
        "way_s": round(median(ours - partner for ours, partner in pages) / 1000, 2),
    }


def _demand_pages(under_way: list[Live]) -> None:
    waiting = {
        one["toolkit"]
        for one in under_way
        if one["phase"] == "reading" and not one["rows_read"] and one["reading_s"] > SLOW_S
    }
    if waiting:
        message = (
            f"The first page of {', '.join(sorted(waiting))} has not come for {SLOW_S:g} s: nobody "
            "can tell yet whose time it is."
        )
        raise NoAnswerError(message)
