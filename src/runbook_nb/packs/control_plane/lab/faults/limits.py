"""Faults of limits: Composio's, a provider's, an account's, and what makes them worse."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.composio_hands import (
    MARK,
    forget_calls,
    heal_composio,
    heal_partner,
    leave_calls,
    let_time_pass,
    park_all,
    run_plays,
    tenants,
    users,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import provide
from runbook_nb.packs.control_plane.lab.faults.outside import (
    fly,
    release,
    restore_agent,
    restore_live_sessions,
    superuser,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_PLAY: Final = 5
_WAIT_S: Final = 30
_MANY: Final = 60
_LIVE: Final = """
SELECT mission.id::text FROM missions AS mission
  JOIN mission_sessions AS session ON session.mission_id = mission.id
 WHERE session.state ? 'runner' AND mission.status = 'in_progress'
   AND mission.priority = ANY(%(priorities)s)
 ORDER BY mission.id LIMIT 1
"""
_DISCOVER: Final = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id,
        created_at)
SELECT mission.id, mission.tenant_id, 'inspector', 'Prepare', 'composio_discovery', 'info',
       '{"query": "tickets", "toolkit_count": 3, "latency_ms": 310, "coverage_estimate": 90}',
       %(mark)s, now() - event * interval '4 minutes'
  FROM missions AS mission
 CROSS JOIN generate_series(0, 11) AS event
 WHERE mission.id::text = %(mission)s
"""


def use_up(lab: LabState) -> None:
    """Have others of the organisation use up each minute; four plays of the agent meet it."""
    provide(lab, others=2_001)
    run_plays(lab, dict.fromkeys(_in_use(lab)[:4], _PLAY))


def throttle_toolkit(lab: LabState) -> None:
    """Have a provider refuse one toolkit to everybody, inside HTTP 200."""
    provide(lab, throttles=[{"toolkit": "warehouse", "wait_s": _WAIT_S}])
    refuse(lab, toolkit="warehouse")
    run_plays(lab, {"warehouse": _PLAY})


def crowd(lab: LabState, *, priorities: tuple[str, ...] = ("normal", "low")) -> None:
    """Have one mission call without end, and Composio refuse all others now and then."""
    with superuser(lab) as connection:
        row = connection.execute(_LIVE.encode(), {"priorities": [*priorities]}).fetchone()
        busy = row[0] if row else None
    refuse(lab, calls=3, http_status=429)
    for toolkit in ("warehouse", None):
        work(lab, calls=_MANY, mission=busy, toolkit=toolkit)


def storm(lab: LabState) -> None:
    """Release the agent with twelve attempts a call, and have providers refuse what it calls."""
    toolkits = _in_use(lab)[:3]
    provide(lab, throttles=[{"toolkit": one, "wait_s": _WAIT_S} for one in toolkits])
    configure(lab, COMPOSIO_ATTEMPTS="12")
    run_plays(lab, dict.fromkeys(toolkits, _PLAY))


def leave_pace(lab: LabState) -> None:
    """Leave the agent with a pause before each call, of a limit that was lifted long ago."""
    configure(lab, COMPOSIO_PAUSE_S="5")


def lift(lab: LabState) -> None:
    """Have a provider's limit be over, with all missions parked and their calls waiting."""
    toolkits = _in_use(lab)[:3]
    provide(lab, throttles=[{"toolkit": one} for one in toolkits])
    run_plays(lab, dict.fromkeys(toolkits, 4))
    let_time_pass(lab, by=timedelta(minutes=25))
    park_all(lab)
    provide(lab, throttles=[])


def poll(lab: LabState) -> None:
    """Have a mission ask for toolkits every four minutes."""
    with superuser(lab) as connection:
        mission = next(iter(users(connection).values()))
        connection.execute(_DISCOVER.encode(), {"mission": mission, "mark": MARK})


def refuse(
    lab: LabState,
    *,
    calls: int = 4,
    toolkit: str | None = None,
    tenant: str | None = None,
    http_status: int = 200,
    wait_s: int | None = _WAIT_S,
    ago: timedelta = timedelta(0),
    retries: int = 0,
    every: int = 1,
    gap: timedelta = timedelta(seconds=4),
    mission: str | None = None,
) -> None:
    """Leave calls that were refused for too many."""
    leave_calls(
        lab,
        calls=calls,
        status="rate_limit",
        code="RATE_LIMIT",
        toolkit=toolkit,
        tenant=tenant,
        http_status=http_status,
        wait_s=wait_s,
        ago=ago,
        retries=retries,
        every=every,
        gap=gap,
        mission=mission,
    )


def work(
    lab: LabState,
    *,
    calls: int,
    mission: str | None = None,
    toolkit: str | None = None,
    gap: timedelta = timedelta(seconds=1),
) -> None:
    """Leave calls that worked."""
    leave_calls(
        lab,
        calls=calls,
        status="success",
        code=None,
        http_status=200,
        mission=mission,
        toolkit=toolkit,
        gap=gap,
    )


def configure(lab: LabState, **environment: str) -> None:
    """Release the agent with further settings, and wait until it beats."""
    config = release(lab)
    with fly(lab) as api:
        for machine in api.get("/machines").json():
            wanted = {**config, "env": {**config["env"], **environment}}
            api.post(f"/machines/{machine['id']}", json={"config": wanted})
    restore_live_sessions(lab, anew=True)


def _one_account(lab: LabState) -> None:
    with superuser(lab) as connection:
        first = tenants(connection)[0]
    refuse(lab, toolkit="warehouse", tenant=first)


def _bare(lab: LabState) -> None:
    provide(lab, others=2_001, bare=True)
    refuse(lab, http_status=429, wait_s=None)


def _near(lab: LabState) -> None:
    provide(lab, others=1_930)


def _half(lab: LabState) -> None:
    refuse(lab, toolkit="warehouse", calls=9, every=2, gap=timedelta(seconds=3))


def _urgent(lab: LabState) -> None:
    crowd(lab, priorities=("high", "urgent"))


def _storm_of_rows(lab: LabState) -> None:
    refuse(lab, toolkit="warehouse", retries=9)


def _one_refusal(lab: LabState) -> None:
    with superuser(lab) as connection:
        toolkit, mission = next(iter(users(connection).items()))
    refuse(lab, calls=1, toolkit=toolkit, mission=mission, ago=timedelta(minutes=2))
    work(lab, calls=1, toolkit=toolkit, mission=mission)


def _lifted_by_itself(lab: LabState) -> None:
    refuse(lab, ago=timedelta(minutes=14))
    work(lab, calls=10)


def _busy_alone(lab: LabState) -> None:
    with superuser(lab) as connection:
        busy = next(iter(users(connection).values()))
    work(lab, calls=_MANY * 2, mission=busy)


def _outage_with_retries(lab: LabState) -> None:
    leave_calls(lab, toolkit="zendesk", code="HTTP_503", retries=9)


def heal(lab: LabState) -> None:
    """Have all be as it was, the agent's release too."""
    restore_agent(lab)
    heal_composio(lab)


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=healed)
    for name, title, inject, healed in (
        ("organisation_limit", "Others use up Composio's limit; calls wait", use_up, heal),
        ("toolkit_throttled", "A provider refuses one toolkit to all", throttle_toolkit, heal),
        ("mission_crowds", "One mission takes the calls of all others", crowd, forget_calls),
        ("retry_storm", "A release tries each refused call twelve times", storm, heal),
        ("pace_left", "The agent still pauses, long after the limit", leave_pace, heal),
        ("limit_lifted", "A limit is over, and all missions are parked", lift, heal),
        ("discovery_polls", "A mission asks for toolkits again and again", poll, forget_calls),
        ("organisation_limit.bare", "A proxy refuses without a word", _bare, heal_partner),
        ("organisation_limit.near", "Little is left, nothing is refused", _near, heal_partner),
        ("toolkit_throttled.one_account", "One account is refused", _one_account, forget_calls),
        ("toolkit_throttled.half", "Every second call is refused", _half, forget_calls),
        ("mission_crowds.urgent", "The mission that crowds is urgent", _urgent, forget_calls),
        ("retry_storm.rows", "Nine retries a refused call", _storm_of_rows, forget_calls),
        ("one_refusal", "One refused call, tried once more", _one_refusal, forget_calls),
        ("limit_is_over", "Refusals that ended by themselves", _lifted_by_itself, forget_calls),
        ("busy_alone", "One mission calls a lot and nobody waits", _busy_alone, forget_calls),
        ("outage_retried", "A toolkit that is down is retried", _outage_with_retries, forget_calls),
    )
)


def _in_use(lab: LabState) -> list[str]:
    with superuser(lab) as connection:
        return sorted(users(connection), key=lambda toolkit: (toolkit == "warehouse", toolkit))
