"""What is read of Composio's API directly."""

import statistics
import time
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio import (
    ANSWERED,
    ask,
    demand_way_out,
    told,
    worked,
)
from runbook_nb.probes.calls import Reading, Systems, probe

# An outage fails each of them; one in three shows twice among six.
REQUESTS: Final = 6
IN_A_ROW: Final = 2
# What answers late is answered; Answer time tells how late.
ENOUGH_S: Final = 3.0
# A median of fewer is one answer's luck.
SAMPLES: Final = 3
_PAGE: Final = 100
_MOST_PAGES: Final = 20

# What missions that are not over were given to work with.
USED: Final = """
select s.toolkit_slug, count(*) as missions
from toolkit_selections s
join missions m on m.id = s.mission_id and m.status not in ('completed', 'archived')
group by s.toolkit_slug
order by s.toolkit_slug
"""


@probe(unit="%", timeout_s=20)
def unanswered(systems: Systems) -> Reading:
    """Return the share of six requests that Composio does not answer as its API does, in percent.

    Two that fail in a row decide it, and after 3 s no more are sent. A refusal of ours (401, 403,
    429) is an answer. Raises NoAnswerError where nothing else outside can be reached from here.
    """
    asked: list[dict[str, Any]] = []
    ends = time.monotonic() + ENOUGH_S
    while len(asked) < REQUESTS and not _decided(asked) and not (asked and _late(ends)):
        asked.append(ask(systems))
    failed = [one for one in asked if one["came"] != ANSWERED]
    if failed and len(failed) == len(asked):
        demand_way_out(systems)
    return Reading(value=round(100 * len(failed) / len(asked), 1), detail=[*map(told, asked)])


@probe(unit="ms", timeout_s=15, alone=True)
def answer_time(systems: Systems) -> Reading:
    """Return the median time of Composio's answers, in milliseconds; an answer is to list one page.

    Raises NoAnswerError below three answers: what is not answered has no time.
    """
    asked = [ask(systems) for _ in range(SAMPLES)]
    times = [one["took_ms"] for one in asked if worked(one)]
    if len(times) < SAMPLES:
        message = f"Only {len(times)} of {SAMPLES} requests brought a list of toolkits."
        raise NoAnswerError(message)
    return Reading(value=statistics.median(times), detail=[*map(told, asked)])


@probe(unit="toolkits", timeout_s=20)
def missing_toolkits(systems: Systems) -> Reading:
    """Count the toolkits of open missions that Composio's catalogue does not show.

    All pages are read. Raises NoAnswerError where the catalogue cannot be read, or no mission is
    open.
    """
    used = systems.database().rows(USED)
    if not used:
        message = "No open mission has a toolkit."
        raise NoAnswerError(message)
    shown = _catalogue(systems)
    missing = [row for row in used if row["toolkit_slug"] not in shown]
    return Reading(value=len(missing), detail={"missing": missing, "shown": sorted(shown)})


def _late(ends: float) -> bool:
    return time.monotonic() > ends


def _decided(asked: list[dict[str, Any]]) -> bool:
    """Tell whether the newest requests failed in a row."""
    newest = asked[-IN_A_ROW:]
    return len(newest) == IN_A_ROW and all(one["came"] != ANSWERED for one in newest)


def _catalogue(systems: Systems) -> set[str]:
    shown: set[str] = set()
    cursor = ""
    for _page in range(_MOST_PAGES):
        asked = ask(systems, limit=str(_PAGE), **({"cursor": cursor} if cursor else {}))
        if not worked(asked):
            message = f"The catalogue cannot be read: {told(asked)}."
            raise NoAnswerError(message)
        said = asked["response"].json()
        shown |= {str(one.get("slug")) for one in said["items"]}
        cursor = said.get("next_cursor") or ""
        if not cursor:
            return shown
    message = f"The catalogue has more than {_MOST_PAGES} pages."
    raise NoAnswerError(message)
