"""Requests that stand open beside an older one of the same play and role, or that nobody sees."""

from typing import Final

# Asking again after a decision is right; two that stand open at once are one asked twice.
REPEATED: Final = """
with numbered as (
    select a.id, a.mission_id, a.mission_play_id, a.approver_role, a.created_at, a.status,
           row_number() over twice as place, first_value(a.id) over twice as first_id
    from mission_approvals a
    join missions m on m.id = a.mission_id and m.status = 'in_progress'
    where a.status = 'requested' and a.mission_play_id is not null
    window twice as (partition by a.mission_play_id, a.approver_role order by a.created_at, a.id)
)
select id::text as approval, mission_id::text as mission, approver_role, created_at,
       first_id::text as repeats
from numbered
where place > 1
order by created_at
"""
# A mission waits in Approve for a request; without an open or a decided one it waits for ever.
VANISHED: Final = """
select m.id::text as mission, p.id::text as play, s.started_at
from missions m
join mission_stage_status s on s.mission_id = m.id and s.stage = 'Approve'
left join mission_plays p on p.mission_id = m.id and p.selected
where m.status = 'in_progress' and m.current_stage = 'Approve'
  and s.started_at < now() - interval '5 minutes'
  and not exists (select from mission_approvals a
                  where a.mission_id = m.id and a.status in ('requested', 'delegated', 'approved'))
order by s.started_at
"""
WAITING: Final = """
select count(*) from missions where status = 'in_progress' and current_stage = 'Approve'
"""
