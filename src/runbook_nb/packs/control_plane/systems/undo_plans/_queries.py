"""Missions that may change something outside and have no plan by which it can be taken back."""

from typing import Final

# A mission without any approved connection can change nothing, and needs no way back. Governance
# may accept that there is none: the approval says so.
NO_WAY_BACK: Final = """
select m.id::text as mission, m.tenant_id::text as tenant, m.status::text as mission_status,
       m.current_stage::text as stage, p.id::text as play, u.id::text as plan,
       u.status::text as plan_status,
       case when u.id is null then 'no plan'
            when u.status <> 'ready' then 'the plan is ' || u.status
            when u.steps = '[]' then 'the plan has no steps'
            else 'a step does not say how it is taken back' end as lacks,
       (select (t.context ->> 'undo_plan_included')::boolean
        from telemetry_events t
        where t.mission_id = m.id and t.event_type = 'planner_candidate_generated'
          and t.context ->> 'play_id' = p.id::text
        order by t.created_at desc limit 1) as planner_said
from missions m
join mission_plays p on p.mission_id = m.id and p.selected
left join mission_undo_plans u on u.id = p.undo_plan_id
where m.status in ('in_progress', 'ready')
  and m.current_stage in ('Approve', 'Execute')
  and exists (select from mission_connections c
              where c.mission_id = m.id and c.status = 'approved')
  and not exists (select from mission_approvals a
                  where a.mission_play_id = p.id and a.status = 'approved'
                    and (a.metadata ->> 'undo_waived')::boolean)
  and (u.id is null
       or u.status <> 'ready'
       or u.steps = '[]'
       or exists (select from jsonb_array_elements(u.steps) s
                  where not coalesce((s ->> 'irreversible')::boolean, false)
                    and (coalesce(s ->> 'reverse_action', '') = ''
                         or coalesce(s -> 'reverse_arguments', 'null') = 'null')))
order by m.id
"""
AT_WORK: Final = """
select count(*) from missions
where status in ('in_progress', 'ready') and current_stage in ('Approve', 'Execute')
"""
