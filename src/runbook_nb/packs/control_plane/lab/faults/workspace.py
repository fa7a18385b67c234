"""The faults of workspaces: a state that is lost, behind, repeated, dead or too large."""

from collections.abc import Callable

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.edge_config import default_config
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.workspace_rows import (
    ASKED_TWICE,
    CLAIM_LEFT,
    DEAD,
    EMPTY,
    FIRST_REJECTED,
    GROWN,
    LIVE,
    MOVED_ON,
    NO_APPROVAL,
    NO_BRIEF,
    OLD_BRIEF,
    OLD_REVISION,
    OLD_STAGE,
    OTHER_MISSION,
    OTHER_TENANT,
    SECOND_LOST,
    STANDING,
    SWAPPED,
    UNAPPROVED,
    VANISHED,
    frozen,
    keep_rows,
    restore_rows,
)
from runbook_nb.packs.control_plane.lab.outage import PATH as OUTAGE
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.packs.control_plane.lab.ui_runtime import CONNECT

_STREAM = {"content-type": "text/event-stream"}
_JSON = {"content-type": "application/json"}
_STARTED = 'data: {"type": "RUN_STARTED", "threadId": "t", "runId": "r"}\n\n'
_FAILED = 'data: {"type": "RUN_ERROR", "message": "agent not found"}\n\n'


def _made(*statements: str, count: int = 2, as_written: bool = True) -> Callable[[LabState], None]:
    """Return an injection that runs these statements for so many live sessions."""

    def inject(lab: LabState) -> None:
        with superuser(lab) as connection:
            keep_rows(connection)
            found = connection.execute(LIVE, {"count": count}).fetchall()
            if len(found) < count:
                raise LabError("Too few sessions are at work; heal the lab first.")
            with connection.transaction():
                made = statements
                if as_written:
                    connection.execute("set local session_replication_role = replica")
                    made = (STANDING, *statements)
                for statement in made:
                    connection.execute(
                        statement.encode(), {"sessions": [session for session, _ in found]}
                    )

    return inject


def _runtime(**outage: object) -> Callable[[LabState], None]:
    """Return an injection that has CopilotKit's runtime answer so when a tab connects."""

    def inject(lab: LabState) -> None:
        _ui(lab, "POST", {"path": CONNECT, **outage})

    return inject


def _ui(lab: LabState, method: str, outage: dict[str, object] | None = None) -> None:
    url = f"http://127.0.0.1:{lab.ports['ui']}{OUTAGE}"
    httpx.request(method, url, json=outage, trust_env=False).raise_for_status()


def heal(lab: LabState) -> None:
    """Put states, tabs, requests and the edge back as they were."""
    _ui(lab, "DELETE")
    with superuser(lab) as connection:
        restore_rows(connection)
    config = default_config(listen=lab.ports["edge"], upstream=lab.ports["ui"])
    admin = f"http://127.0.0.1:{lab.ports['edge_admin']}"
    httpx.post(f"{admin}/load", json=config, trust_env=False).raise_for_status()


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject in (
        ("workspace_lost", "States were overwritten with nothing", _made(EMPTY)),
        ("workspace_lost.one", "One state of many is empty", _made(EMPTY, count=1)),
        ("workspace_lost.claim", "Only the claim of an agent is left", _made(CLAIM_LEFT)),
        ("workspace_lost.brief", "The brief is gone", _made(NO_BRIEF)),
        ("workspace_behind", "An old snapshot was laid over the state", _made(OLD_STAGE)),
        ("workspace_behind.brief", "The old brief is back", _made(OLD_BRIEF)),
        ("workspace_behind.approval", "An approval vanished", _made(NO_APPROVAL, count=1)),
        ("workspace_behind.rolled_back", "An older tab saved last", _made(OLD_REVISION)),
        (
            "workspace_behind.revoked",
            "A state says approved, and nobody has approved",
            _made(UNAPPROVED, count=1),
        ),
        ("workspace_foreign", "A state of another mission was stored", _made(SWAPPED)),
        ("workspace_foreign.tenant", "A state names another tenant", _made(OTHER_TENANT)),
        ("workspace_foreign.mission", "A state names another mission", _made(OTHER_MISSION)),
        (
            "workspace_foreign.lost",
            "A state of another mission, and one that is lost",
            _made(SWAPPED, SECOND_LOST, count=3),
        ),
        ("workspace_tabs", "Tabs hear nothing and hold an old state", _made(frozen())),
        ("workspace_tabs.one", "One tab is frozen", _made(frozen(), count=1)),
        ("workspace_tabs.three", "Three tabs of one mission", _made(frozen(tabs=3), count=1)),
        ("workspace_tabs.days", "Tabs were left open for days", _made(frozen(age="3 days"))),
        (
            "workspace_replayed",
            "A reconnect asked for the same approvals again",
            _made(ASKED_TWICE.format(requests=2, times=1)),
        ),
        (
            "workspace_replayed.one",
            "One approval is shown twice",
            _made(ASKED_TWICE.format(requests=1, times=1)),
        ),
        (
            "workspace_replayed.often",
            "One approval is shown six times",
            _made(ASKED_TWICE.format(requests=1, times=5)),
        ),
        ("workspace_replayed.vanished", "Requests vanished", _made(VANISHED)),
        (
            "workspace_dead",
            "Sessions of ended missions stay active",
            _made(DEAD.format(age="26 hours", count=3)),
        ),
        (
            "workspace_dead.one",
            "One session stays active",
            _made(DEAD.format(age="26 hours", count=1)),
        ),
        (
            "workspace_dead.weeks",
            "Sessions stay active for weeks",
            _made(DEAD.format(age="20 days", count=5)),
        ),
        (
            "workspace_dead.lost",
            "A state is lost as well",
            _made(DEAD.format(age="26 hours", count=2), EMPTY, count=1),
        ),
        (
            "workspace_large",
            "A state holds a whole transcript",
            _made(GROWN.format(bytes=90_000), count=1),
        ),
        (
            "workspace_large.three",
            "Three states are too large",
            _made(GROWN.format(bytes=70_000), count=3),
        ),
        (
            "workspace_large.huge",
            "A state of a megabyte",
            _made(GROWN.format(bytes=1_000_000), count=1),
        ),
        (
            "workspace_large.growing",
            "A state is above the payload",
            _made(GROWN.format(bytes=20_000), count=1),
        ),
        (
            "workspace_stuck",
            "A tab connects, and its run never ends",
            _runtime(status=200, headers=_STREAM, body=_STARTED),
        ),
        (
            "workspace_stuck.error",
            "Each run ends in an error",
            _runtime(status=200, headers=_STREAM, body=_STARTED + _FAILED),
        ),
        (
            "workspace_stuck.not_found",
            "The runtime knows no session",
            _runtime(status=404, headers=_JSON, body='{"error": "Session not found"}'),
        ),
        (
            "workspace_stuck.page",
            "The runtime answers with a page",
            _runtime(status=504, headers={"content-type": "text/html"}, body="<html>"),
        ),
        # What looks like it and is legitimate.
        ("workspace_two_tabs", "Two people watch one mission", _made(frozen(older=0))),
        ("workspace_tab_young", "A tab was opened a moment ago", _made(frozen(age="5 seconds"))),
        (
            "workspace_asked_anew",
            "A request was rejected, and is made again",
            _made(ASKED_TWICE.format(requests=2, times=1), FIRST_REJECTED),
        ),
        ("workspace_moving", "Missions move on at this moment", _made(MOVED_ON, as_written=False)),
        (
            "workspace_idle_empty",
            "A planner that waits has no state yet",
            _made("update mission_sessions set state = '{}' where status = 'idle'"),
        ),
    )
)
