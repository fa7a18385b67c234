"""Alert rules for workspaces: their states, their tabs, and what they ask for."""

from http import HTTPStatus
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState

CONNECT: Final = "/api/copilotkit/agent/control_plane_coordinator/connect"
PATIENCE_S: Final = 5.0

AT_WORK: Final = """
from mission_sessions s
join missions m on m.id = s.mission_id
where s.status = 'active' and m.status = 'in_progress'
"""


def _run_fails(lab: LabState, connection: Any) -> bool:
    """Connect to a mission at work as a tab does, and see whether the run ends well."""
    import httpx

    row = connection.execute(f"select m.id::text {AT_WORK} limit 1").fetchone()
    if row is None:
        return False
    try:
        answer = httpx.post(
            f"http://127.0.0.1:{lab.ports['edge']}{CONNECT}",
            json={"threadId": row[0]},
            timeout=PATIENCE_S,
            trust_env=False,
            verify=NO_CERTIFICATES,
        )
    except httpx.HTTPError:
        return False
    return answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR and (
        "RUN_FINISHED" not in answer.text
    )


RULES: Final = (
    AlertRule(
        name="WorkspaceRunStuck",
        severity="critical",
        summary="A tab that connects to a mission at work is sent no end of the run.",
        fires=_run_fails,
        service="workspace",
    ),
    AlertRule(
        name="WorkspaceStateLost",
        severity="critical",
        summary="A session at work has no mission, stage or brief in its state.",
        fires=sql(f"""
            select exists (
                select {AT_WORK} and not s.state ?& array['mission_id', 'current_stage'])
            """),
        service="workspace",
    ),
    AlertRule(
        name="WorkspaceStateBehind",
        severity="warning",
        summary="A session at work has another stage in its state than its mission.",
        fires=sql(f"""
            select exists (
                select {AT_WORK} and s.state ->> 'current_stage' <> m.current_stage::text
                  and m.updated_at < now() - interval '1 minute')
            """),
        service="workspace",
    ),
    AlertRule(
        name="WorkspaceStateForeign",
        severity="critical",
        summary="A session at work has another mission or tenant in its state than its row.",
        fires=sql(f"""
            select exists (
                select {AT_WORK} and (s.state ->> 'mission_id' <> m.id::text
                                      or s.state ->> 'tenant_id' <> m.tenant_id::text))
            """),
        service="workspace",
    ),
    AlertRule(
        name="WorkspaceTabsBehind",
        severity="warning",
        summary="Open tabs hold an older state than the stored one for more than a minute.",
        fires=sql(f"""
            select exists (
                select from workspace_stream_sessions w
                where w.disconnected_at is null and w.connected_at < now() - interval '2 minutes'
                  and exists (
                      select {AT_WORK} and s.mission_id = w.mission_id
                        and (s.state ->> 'revision_id')::int - 2
                            >= (w.metadata ->> 'revision_id')::int))
            """),
        service="workspace",
    ),
    AlertRule(
        name="ApprovalAskedTwice",
        severity="warning",
        summary="The same approval is asked for more than once.",
        fires=sql("""
            select exists (
                select from mission_approvals
                where status = 'requested'
                group by mission_play_id, approver_role
                having count(*) > 1)
            """),
        service="workspace",
    ),
    AlertRule(
        name="SessionActiveForDays",
        severity="warning",
        summary="A session is marked active whose last heartbeat is older than 24 hours.",
        fires=sql("""
            select exists (
                select from mission_sessions
                where status = 'active' and last_heartbeat_at < now() - interval '24 hours')
            """),
        service="workspace",
    ),
    AlertRule(
        name="WorkspaceStateTooLarge",
        severity="warning",
        summary="The state of a session at work is larger than 64 KB.",
        fires=sql(f"""
            select exists (select {AT_WORK} and octet_length(s.state::text) > 65536)
            """),
        service="workspace",
    ),
)
