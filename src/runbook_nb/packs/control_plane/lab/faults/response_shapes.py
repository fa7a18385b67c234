"""The general protocol's faults in other shapes: elsewhere, younger, older, beside another."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.heartbeat_agent import heal_agent, kill_agent
from runbook_nb.packs.control_plane.lab.faults.journal import beside, row_fault
from runbook_nb.packs.control_plane.lab.faults.outside import let_silence_pass, superuser
from runbook_nb.packs.control_plane.lab.faults.response_causes import FAULTS as CAUSES
from runbook_nb.packs.control_plane.lab.faults.shapes import (
    CALLS,
    EVENTS,
    LIVE,
    ONE_TENANT,
    OTHER_TENANT,
    calls,
    errors,
    events,
    released,
)
from runbook_nb.packs.control_plane.lab.state import LabState

_LEAKED: Final = '{"text": "Bearer 1f0c9d7be2a34c5d8e6f70a1b2c3d4e5"}'
_KEY: Final = '{"request": {"headers": {"x-api-key": "sk-4f9a0c7e21d84b6f8a35c1e0"}}}'
_GOOD: Final = calls(OTHER_TENANT, toolkit="github", each=50, every="5 s")
_LATER: Final = timedelta(minutes=40)
_BLOCK: Final = f"""
update missions set status = 'blocked', updated_at = now() - interval '2 minutes'
 where id in (select id from {LIVE} where n in (1, 2, 5))
"""
_IDLE: Final = f"""
update mission_sessions set status = 'idle', updated_at = now() - interval '2 minutes'
 where state ? 'runner' and mission_id in (select id from {LIVE} where n in (1, 2, 5))
"""
_EVIDENCE: Final = """
delete from mission_evidence where mission_id in (
    select mission.id from missions as mission join tenants as tenant on tenant.id = tenant_id
     where slug = 'northwind' and status = 'completed' order by completed_at desc, mission.id
     limit 30)
"""
_STAGES_OF_TWO: Final = """
delete from mission_stage_status where mission_id in (
    select id from missions where status = 'completed' order by completed_at desc, id limit 2)
"""


def _kill_long_ago(lab: LabState) -> None:
    kill_agent(lab)
    with superuser(lab) as connection:
        let_silence_pass(connection, by=_LATER)


_AGENT_GONE: Final = Fault(
    name="agent_gone", title="The agent was killed", inject=kill_agent, heal=heal_agent
)
_LEAK: Final = next(fault for fault in CAUSES if fault.name == "secret_in_events")

FAULTS: Final = (
    Fault(
        name="platform_down.long_ago",
        title="The agent is gone for more than forty minutes",
        inject=_kill_long_ago,
        heal=heal_agent,
    ),
    beside("platform_down.beside_leak", "The agent is gone, and a token leaks", _AGENT_GONE, _LEAK),
    row_fault(
        "limits_storm.one_tenant",
        "One tenant's calls meet a rate limit, behind 200 good ones of another",
        calls(ONE_TENANT, toolkit="zendesk", each=30, status="rate_limit", code="RATE_LIMIT"),
        calls(OTHER_TENANT, toolkit="zendesk", each=50, every="5 s"),
        tables=[CALLS],
    ),
    row_fault(
        "limits_storm.code_alone",
        "Calls end in an error whose code alone says that it is a rate limit",
        calls(
            "n in (1, 2, 5)",
            toolkit="zendesk",
            each=40,
            status="error",
            code="RATE_LIMIT_EXCEEDED",
        ),
        tables=[CALLS],
    ),
    row_fault(
        "limits_storm.composios_own",
        "Every toolkit's calls meet a rate limit, those of one mission in each three",
        *(
            calls("n in (1, 2, 5)", toolkit=name, each=15, status="rate_limit", code="RATE_LIMIT")
            for name in ("zendesk", "slack", "github")
        ),
        tables=[CALLS],
    ),
    row_fault(
        "login_expired.code_alone",
        "A mission's calls end in an error whose code alone says that its login has run out",
        calls("n = 1", toolkit="hubspot", each=4, status="error", code="OAUTH_EXPIRED"),
        tables=[CALLS],
    ),
    row_fault(
        "login_expired.behind_good_calls",
        "One tenant is refused for an expired login, behind 200 good calls of another",
        calls("n = 1", toolkit="github", each=6, status="auth_expired", code="AUTH_EXPIRED"),
        _GOOD,
        tables=[CALLS],
    ),
    row_fault(
        "login_expired.whole_tenant",
        "All missions of one tenant are refused for an expired login",
        calls(ONE_TENANT, toolkit="slack", each=4, status="auth_expired", code="AUTH_EXPIRED"),
        tables=[CALLS],
    ),
    row_fault(
        "secret_in_events.one_row",
        "One event of one mission holds a bearer token",
        events("n = 3", each=1, kind="evidence_opened", context=_LEAKED),
        tables=[EVENTS],
    ),
    row_fault(
        "secret_in_events.hours_ago",
        "A bearer token has stood in an event for twenty hours",
        events("n = 3", each=1, kind="evidence_opened", context=_LEAKED, ago="20 hours"),
        tables=[EVENTS],
    ),
    row_fault(
        "secret_in_events.api_key",
        "The headers of a request, its API key among them, stand in an event",
        events("n = 3", each=2, kind="composio_tool_call", context=_KEY),
        tables=[EVENTS],
    ),
    row_fault(
        "stages_lost.of_two",
        "The stages of two finished missions are gone",
        _STAGES_OF_TWO,
        tables=["mission_stage_status"],
    ),
    row_fault(
        "stages_lost.evidence",
        "The evidence of a tenant's thirty newest missions is gone; the artifacts are there",
        _EVIDENCE,
        tables=["mission_evidence"],
    ),
    row_fault(
        "toolkit_down.one_tenant",
        "One tenant's calls to a toolkit fail, behind 200 good ones of another",
        calls("n in (1, 2)", toolkit="github", each=15, status="error", code="UPSTREAM_TIMEOUT"),
        _GOOD,
        tables=[CALLS],
    ),
    row_fault(
        "toolkit_down.every_third",
        "Every third call to one toolkit ends in an error",
        calls(
            "n in (1, 2, 5)",
            toolkit="github",
            each=15,
            status="error",
            code="HTTP_502",
            of=3,
            every="4 s",
        ),
        tables=[CALLS],
    ),
    row_fault(
        "toolkit_down.young",
        "A toolkit fails for half a minute, after an hour of good calls",
        calls(
            "n in (1, 2, 5)",
            toolkit="github",
            each=4,
            status="error",
            code="UPSTREAM_TIMEOUT",
            every="7 s",
        ),
        calls("n in (1, 2, 5)", toolkit="github", each=60, ago="40 s", every="1 minute"),
        tables=[CALLS],
    ),
    row_fault(
        "release_impairs.young",
        "Missions fail since a release of one minute ago",
        released("1 minute"),
        errors("n in (1, 2, 5)", every="0.5 s"),
        tables=[EVENTS],
    ),
    row_fault(
        "release_impairs.long_after",
        "A release of forty minutes ago fails since two minutes",
        released("40 minutes"),
        errors("n in (1, 2, 5)", every="1.4 s"),
        tables=[EVENTS],
    ),
    row_fault(
        "release_impairs.missions_blocked",
        "Three missions of eight are blocked since a release of five minutes ago",
        released("5 minutes"),
        _IDLE,
        _BLOCK,
        tables=[EVENTS, "missions", "mission_sessions"],
    ),
    row_fault(
        "errors_elsewhere.before_the_release",
        "Errors began twelve minutes ago; a release came one minute ago and changed nothing",
        released("1 minute"),
        errors("n in (1, 2, 5)", each=240, every="3 s"),
        tables=[EVENTS],
    ),
)
