"""What is read of Composio's log of executions."""

from collections import Counter
from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.systems._executions import changes, executed, recorded
from runbook_nb.probes.calls import Reading, Systems, probe

MOMENT: Final = "select now() - %(window)s"


@probe(unit="calls", timeout_s=20)
def unrecorded(systems: Systems, *, window: timedelta) -> Reading:
    """Count the changing calls that Composio executed and no row of ours knows.

    Each was done though its answer was lost; sent again, it is done twice. Tools that only read do
    not count. Raises NoAnswerError where Composio's log cannot be read to its end.
    """
    database = systems.database()
    since = database.value(MOMENT, window=window)
    done = [one for one in executed(systems, since=since) if changes(one["actionKey"])]
    known = recorded(database, [one["id"] for one in done])
    unknown = [one for one in done if one["id"] not in known]
    detail = {
        "executed": len(done),
        "unrecorded": dict(Counter(one["actionKey"] for one in unknown)),
        "log ids": [one["id"] for one in unknown[:20]],
    }
    return Reading(value=len(unknown), detail=detail)
