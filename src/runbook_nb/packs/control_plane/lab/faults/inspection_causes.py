"""What makes inspections slow: the partner, rows, repeats, settings, a lock, a restart."""

import json
from collections.abc import Callable
from typing import Final

from runbook_nb.packs.control_plane.lab.emulators.composio_accounts import TOOLKITS
from runbook_nb.packs.control_plane.lab.faults.inspection_hands import (
    LATE_S,
    await_ended,
    await_late,
    inspect,
    lock,
    prepare,
    toolkit_of,
)
from runbook_nb.packs.control_plane.lab.faults.limits import configure
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import (
    API,
    break_composio,
    composio,
    provide,
)
from runbook_nb.packs.control_plane.lab.faults.outside import (
    first_value,
    fly,
    restore_live_sessions,
    superuser,
)
from runbook_nb.packs.control_plane.lab.seed.records import RECORDS
from runbook_nb.packs.control_plane.lab.state import LabState

Inject = Callable[[LabState], None]

MARK: Final = "of-a-release-that-writes"
_SLOW_S: Final = 9.0
_TENANT: Final = "select tenant_id::text from missions where id = %(mission)s::uuid"
_CALLED: Final = """
insert into composio_audit_events
       (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms)
select id, tenant_id, %(toolkit)s, %(tool)s, 'success', %(outcome)s::jsonb, 240
  from missions where id = %(mission)s::uuid
"""
_HOLD: Final = """
insert into mission_metadata (mission_id, metadata_key, metadata_value, source_stage)
select mission::uuid, 'inspection_hold',
       jsonb_build_object('toolkits', jsonb_build_array(%(toolkit)s::text),
                          'held_at', now() - %(ago)s::interval), 'Prepare'
  from unnest(%(missions)s::text[]) as mission
"""
_BLOCK: Final = """
update mission_stage_status
   set status = 'blocked', readiness_state = 'needs_data',
       blocking_reason = 'The inspection is on hold: the partner is slow'
 where mission_id::text = any(%(missions)s) and stage = 'Prepare'
"""


def slow_partner(*, page_s: float = _SLOW_S, count: int = 2, tenant: str | None = None) -> Inject:
    """Return what has a provider take so long for each page of the toolkit that most chose."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant)
        toolkit = toolkit_of(lab, missions)
        provide(lab, volumes=[{"toolkit": toolkit, "rows": 2_000, "page_s": page_s}])
        inspect(lab, missions)
        await_late(lab)

    return inject


def wide(*, rows: int = 50_000, count: int = 1, tenant: str | None = None) -> Inject:
    """Return what has owners ask for so many rows of huge accounts; each page comes quickly."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant, scope=rows)
        provide(lab, volumes=[{"rows": 90_000, "page_s": 0.35}])
        inspect(lab, missions)
        await_late(lab)

    return inject


def repeated(
    *, times: int = 12, count: int = 1, page_s: float = 1.4, tenant: str | None = None
) -> Inject:
    """Return what has a page ask again and again for what is still inspected."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant)
        provide(lab, volumes=[{"page_s": page_s}])
        inspect(lab, missions, times=times)
        await_late(lab)

    return inject


def limit_low(*, limit_s: str = "0.5", count: int = 2) -> Inject:
    """Return what releases the agent with a time limit in which no inspection can end."""

    def inject(lab: LabState) -> None:
        configure(lab, INSPECTION_LIMIT_S=limit_s)
        missions = prepare(lab, count=count)
        provide(lab, volumes=[{"page_s": float(limit_s)}])
        inspect(lab, missions)
        await_ended(lab)

    return inject


def pool_small(*, workers: str = "1", count: int = 2, page_s: float = 1.3) -> Inject:
    """Return what releases the agent with so few workers that inspections wait for one."""

    def inject(lab: LabState) -> None:
        configure(lab, INSPECTION_WORKERS=workers)
        missions = prepare(lab, count=count)
        provide(lab, volumes=[{"page_s": page_s}])
        inspect(lab, missions)
        await_late(lab)

    return inject


def locked(*, count: int = 2, tenant: str | None = None) -> Inject:
    """Return what has a report hold the table that inspections are written to."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant)
        lock(lab)
        inspect(lab, missions)
        await_late(lab)

    return inject


def lost(*, count: int = 2, ago_s: float = LATE_S, tenant: str | None = None) -> Inject:
    """Return what restarts the agent amid inspections, so long after they were asked for."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant, ago=f"{ago_s} s")
        provide(lab, volumes=[{"page_s": 3}])
        inspect(lab, missions)
        with fly(lab) as api:
            for machine in api.get("/machines").json():
                api.post(f"/machines/{machine['id']}/restart")
        restore_live_sessions(lab, anew=True)
        provide(lab, volumes=[])

    return inject


def held(*, count: int = 2, ago: str = "25 min", tenant: str | None = None) -> Inject:
    """Return what leaves toolkits on hold, so long after an earlier action held them."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant, ago="30 min")
        given = {"missions": missions, "ago": ago, "toolkit": toolkit_of(lab, missions)}
        with superuser(lab) as connection:
            connection.execute(_HOLD, given)
            # The journal has the stages already, as they were before Prepare began.
            connection.execute(_BLOCK, given)

    return inject


def written(*, calls: int = 2, told: bool = True, tenant: str | None = None) -> Inject:
    """Return what has an inspection change records at a customer's tool, as no release may.

    Without ``told`` its rows name the tool that lists.
    """

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=1, tenant=tenant)
        toolkit = toolkit_of(lab, missions)
        tool = RECORDS[toolkit].change
        named = tool if told else TOOLKITS[toolkit].actions[0]
        with superuser(lab) as connection, composio(lab) as client:
            user = first_value(connection, _TENANT, mission=missions[0])
            for number in range(calls):
                arguments = {"id": f"inspected-{number}", "properties": {"note": "seen"}}
                body = {"user_id": user, "arguments": arguments}
                answer = client.post(f"{API}/tools/execute/{tool}", json=body).raise_for_status()
                outcome = {"inspection_id": MARK, "log_id": answer.json()["log_id"]}
                given = {"toolkit": toolkit, "tool": named, "outcome": json.dumps(outcome)}
                connection.execute(_CALLED, {**given, "mission": missions[0]})
        inspect(lab, missions)
        await_ended(lab)

    return inject


def slow_way(*, delay_s: float = _SLOW_S, count: int = 2, tenant: str | None = None) -> Inject:
    """Return what has calls of one toolkit take long on their way, and not at Composio."""

    def inject(lab: LabState) -> None:
        missions = prepare(lab, count=count, tenant=tenant)
        toolkit = toolkit_of(lab, missions)
        break_composio(lab, path=f"{API}/tools/execute/{toolkit.upper()}_", delay_s=delay_s)
        inspect(lab, missions)
        await_late(lab)

    return inject
