"""What faults of workspaces write: states, tabs and requests, and how they are put back."""

from runbook_nb.packs.control_plane.lab.faults.outside import Connection

# Rows as they were are kept in tables of their own, out of reach of every role but the owner.
KEPT = "select to_regclass('lab_workspace.sessions') is not null"
KEEP = """
create schema lab_workspace;
create table lab_workspace.sessions as select id, state, state_size_bytes, status
    from mission_sessions where status in ('active', 'idle');
create table lab_workspace.all_sessions as select id from mission_sessions;
create table lab_workspace.streams as select id from workspace_stream_sessions;
create table lab_workspace.approvals as table mission_approvals;
create table lab_workspace.missions as select id, current_stage, updated_at from missions;
"""
RESTORE = """
delete from mission_sessions where id not in (select id from lab_workspace.all_sessions);
delete from workspace_stream_sessions
where session_id like 'frozen-%'
  and id not in (select id from lab_workspace.streams);
update mission_sessions s
set state = kept.state || case
        when s.state ? 'runner' then jsonb_build_object('runner', s.state -> 'runner')
        else '{}' end,
    state_size_bytes = kept.state_size_bytes, status = kept.status
from lab_workspace.sessions kept
where kept.id = s.id;
update missions m set current_stage = kept.current_stage, updated_at = kept.updated_at
from lab_workspace.missions kept
where kept.id = m.id
  and (kept.current_stage, kept.updated_at) is distinct from (m.current_stage, m.updated_at);
delete from mission_approvals;
insert into mission_approvals table lab_workspace.approvals;
update workspace_stream_sessions w
set metadata = w.metadata || jsonb_build_object('revision_id', s.state -> 'revision_id')
from mission_sessions s
where s.mission_id = w.mission_id and s.status = 'active' and w.disconnected_at is null
  and s.state ? 'revision_id';
drop schema lab_workspace cascade;
"""
LIVE = """
select s.id, s.mission_id from mission_sessions s
join missions m on m.id = s.mission_id
where s.status = 'active' and s.state ? 'runner' and m.status = 'in_progress'
order by row_number() over (partition by m.tenant_id order by s.id), m.tenant_id
limit %(count)s
"""

# The missions have stood for a while: nothing of them is on its way to their sessions.
STANDING = """
update missions set updated_at = least(updated_at, now() - interval '5 minutes')
where id in (select mission_id from mission_sessions where id = any(%(sessions)s))
"""

# What a streamer stores that sends no state, and what is left of it with its claim.
EMPTY = "update mission_sessions set state = '{}' where id = any(%(sessions)s)"
CLAIM_LEFT = """
update mission_sessions set state = jsonb_build_object('runner', state -> 'runner')
where id = any(%(sessions)s)
"""
NO_BRIEF = """
update mission_sessions set state = state || '{"mission_brief": {}}' where id = any(%(sessions)s)
"""
# An old snapshot is laid over the stored state: the last write wins.
OLD_STAGE = """
update mission_sessions
set state = state || '{"current_stage": "Plan", "approval_decision": null}'
where id = any(%(sessions)s)
"""
OLD_BRIEF = """
update mission_sessions
set state = jsonb_set(state, '{mission_brief,objective}', '"What was asked for at first"')
where id = any(%(sessions)s)
"""
NO_APPROVAL = """
update mission_sessions set state = state - 'approval_decision' where id = any(%(sessions)s)
"""
OLD_REVISION = """
update mission_sessions
set state = state || jsonb_build_object('revision_id', (state ->> 'revision_id')::int - 4)
where id = any(%(sessions)s)
"""
SWAPPED = """
update mission_sessions s set state = other.state
from mission_sessions other
where s.id = (%(sessions)s::uuid[])[1] and other.id = (%(sessions)s::uuid[])[2]
"""
OTHER_TENANT = """
update mission_sessions s
set state = s.state || jsonb_build_object('tenant_id', (
    select t.id from tenants t where t.id::text <> s.state ->> 'tenant_id' limit 1))
where s.id = (%(sessions)s::uuid[])[1]
"""
OTHER_MISSION = """
update mission_sessions s
set state = s.state || jsonb_build_object('mission_id', (
    select m.id from missions m where m.id <> s.mission_id order by m.id limit 1))
where s.id = (%(sessions)s::uuid[])[1]
"""
SECOND_LOST = "update mission_sessions set state = '{}' where id = (%(sessions)s::uuid[])[3]"
UNAPPROVED = """
update mission_approvals a set status = 'requested', decision_at = null
from mission_sessions s
where s.mission_id = a.mission_id and s.id = any(%(sessions)s)
"""
FROZEN = """
insert into workspace_stream_sessions
    (mission_id, tenant_id, session_id, stage, sampling_mode, metadata, connected_at)
select s.mission_id, m.tenant_id, 'frozen-' || left(s.id::text, 8) || '-' || tab, 'Execute', 'full',
       jsonb_build_object('revision_id', (s.state ->> 'revision_id')::int - {older}),
       now() - interval '{age}'
from mission_sessions s
join missions m on m.id = s.mission_id
cross join generate_series(1, {tabs}) as tab
where s.id = any(%(sessions)s)
"""
ASKED_TWICE = """
insert into mission_approvals
    (mission_id, mission_play_id, approver_role, status, due_at, undo_plan_id, metadata, created_at)
select a.mission_id, a.mission_play_id, a.approver_role, 'requested', a.due_at, a.undo_plan_id,
       a.metadata, a.created_at + again * interval '4 seconds'
from (select a.* from mission_approvals a
      join missions m on m.id = a.mission_id and m.status = 'in_progress'
      where a.status = 'requested' order by a.id limit {requests}) a
cross join generate_series(1, {times}) as again
"""
VANISHED = """
delete from mission_approvals a using missions m
where m.id = a.mission_id and m.status = 'in_progress' and m.current_stage = 'Approve'
"""
# They ended before their sessions fell silent, so no event of an agent is younger than its beat.
DEAD = """
insert into mission_sessions
    (mission_id, agent_name, state, status, last_heartbeat_at, created_at)
select id, 'coordinator', jsonb_build_object('mission_id', id, 'current_stage', current_stage),
       'active', now() - interval '{age}', now() - interval '{age}' - interval '9 days'
from missions
where status = 'completed'
  and completed_at < now() - interval '{age}' - interval '1 hour'
order by completed_at desc limit {count}
"""
GROWN = """
update mission_sessions
set state = state || jsonb_build_object('transcript', repeat('x', {bytes})),
    state_size_bytes = octet_length(state::text) + {bytes}
where id = any(%(sessions)s)
"""
FIRST_REJECTED = """
update mission_approvals set status = 'rejected', decision_at = now()
where id in (select distinct on (a.mission_id) a.id
             from mission_approvals a
             join missions m on m.id = a.mission_id and m.status = 'in_progress'
             where a.status = 'requested'
             order by a.mission_id, a.created_at)
"""
MOVED_ON = """
update missions set current_stage = 'Reflect'
where id in (select mission_id from mission_sessions where id = any(%(sessions)s))
"""


def keep_rows(connection: Connection) -> None:
    """Keep the rows that faults of workspaces change, unless they are kept already."""
    if connection.execute(KEPT).fetchone() != (True,):
        with connection.transaction():
            connection.execute(KEEP)


def restore_rows(connection: Connection) -> None:
    """Put rows back as they were kept."""
    if connection.execute(KEPT).fetchone() == (True,):
        with connection.transaction():
            connection.execute("set local session_replication_role = replica")
            connection.execute(RESTORE)


def frozen(*, older: int = 3, age: str = "20 minutes", tabs: int = 1) -> str:
    """Return what leaves tabs open that hear nothing any more."""
    return FROZEN.format(older=older, age=age, tabs=tabs)
