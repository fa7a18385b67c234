"""What looks like trouble to the general protocol, and is how the platform is meant to work."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.journal import row_fault
from runbook_nb.packs.control_plane.lab.faults.shapes import (
    CALLS,
    EVENTS,
    LIVE,
    calls,
    events,
    released,
)

_ADDRESSES: Final = (
    '{"repository": "git@github.com:northwind/plays.git", "branch": "main"}',
    '{"files": ["assets/logo@2x.png", "assets/hero@3x.png"]}',
    '{"image": "registry.example/agent@sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f0"}',
)
_NO_EVIDENCE: Final = f"""
insert into missions (tenant_id, title, status, current_stage, readiness, created_at, updated_at,
                      completed_at)
select tenant_id, 'Check whether a digest is wanted at all', 'completed', 'Reflect', 'ready',
       now() - interval '3 days', now() - interval '2 days', now() - interval '2 days'
  from {LIVE} where n = 1
"""
_ITS_STAGES: Final = """
insert into mission_stage_status (mission_id, stage, status, started_at, completed_at, updated_at)
select mission.id, stage, 'completed', mission.created_at, mission.completed_at,
       mission.completed_at
  from missions as mission, unnest(enum_range(null::mission_stage)) as stage
 where title = 'Check whether a digest is wanted at all'
"""
_PAUSED: Final = f"""
update missions set status = 'blocked', updated_at = now() - interval '3 minutes'
 where id in (select id from {LIVE} where n = 2)
"""
_PAUSED_STAGE: Final = f"""
update mission_stage_status
   set status = 'blocked', blocking_reason = 'Paused by its owner until Monday',
       updated_at = now() - interval '3 minutes'
 where stage = 'Execute' and mission_id in (select id from {LIVE} where n = 2)
"""
_PAUSED_SESSION: Final = f"""
update mission_sessions set status = 'idle', updated_at = now() - interval '3 minutes'
 where state ? 'runner' and mission_id in (select id from {LIVE} where n = 2)
"""

FAULTS: Final = (
    row_fault(
        "addresses_of_no_person",
        "Events name a repository, picture files and an image, each with an at sign",
        *(
            events("n in (1, 5)", each=2, kind="composio_tool_call", context=context)
            for context in _ADDRESSES
        ),
        tables=[EVENTS],
    ),
    row_fault(
        "errors_mended",
        "Each live mission had one error, mended by itself, and went on well",
        events(
            "true",
            each=1,
            kind="composio_tool_call_error",
            status="error",
            ago="70 s",
            context='{"error_code": "HTTP_502", "recovery_action": "retried"}',
        ),
        events("true", each=3, kind="execution_step_completed", status="success", every="15 s"),
        calls("true", toolkit="slack", each=3, every="15 s"),
        tables=[EVENTS, CALLS],
    ),
    row_fault(
        "mission_without_evidence",
        "A mission ended before it did anything, so that it never had evidence",
        _NO_EVIDENCE,
        _ITS_STAGES,
        tables=["missions", "mission_stage_status"],
    ),
    row_fault(
        "mission_paused",
        "The owner of one mission of eight paused it three minutes ago, and says so",
        _PAUSED_STAGE,
        _PAUSED_SESSION,
        _PAUSED,
        tables=["missions", "mission_sessions", "mission_stage_status"],
    ),
    row_fault(
        "calls_failed_last_night",
        "A toolkit failed nine hours ago; it was mended, and nobody has called it since",
        calls(
            "n in (1, 2, 5)",
            toolkit="gmail",
            each=10,
            status="error",
            code="UPSTREAM_TIMEOUT",
            ago="9 hours",
        ),
        tables=[CALLS],
    ),
    row_fault(
        "release_good",
        "A release of ten minutes ago, and all goes on well",
        released("10 minutes"),
        events("true", each=20, kind="execution_step_completed", status="success", every="20 s"),
        tables=[EVENTS],
    ),
)
