"""Alert rules for inspections; by the platform a preview takes at most 10 s."""

from typing import Final

from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql

# Whoever waits for a customer's consent, or was put on hold, waits for no inspection.
SLOW: Final = """
with asked as (
    select m.id, h.metadata_value -> 'toolkits' ? x.toolkit_slug as held,
           exists (
               select from mission_connections c
               where c.mission_id = m.id and c.toolkit_slug = x.toolkit_slug
                 and c.status = 'initiated') as for_consent,
           exists (
               select from data_inspection_checks c
               where c.mission_id = m.id and c.toolkit_slug = x.toolkit_slug
                 and c.created_at >= s.started_at) as checked
    from missions m
    join mission_stage_status s on s.mission_id = m.id and s.stage = 'Prepare'
    join toolkit_selections x on x.mission_id = m.id
    left join mission_metadata h on h.mission_id = m.id and h.metadata_key = 'inspection_hold'
    where m.current_stage = 'Prepare' and m.status = 'in_progress'
      and s.status = 'in_progress' and s.started_at < clock_timestamp() - interval '10 seconds'
)
select exists (
    select from asked
    group by id
    having bool_and(checked)
        or bool_or(not checked and not for_consent and not coalesce(held, false)))
"""
TIMED_OUT: Final = """
select exists (
    select from (
        select distinct on (c.mission_id, c.toolkit_slug) c.details ->> 'error' as error
        from data_inspection_checks c
        join missions m on m.id = c.mission_id
        where c.created_at > now() - interval '1 hour' and m.current_stage = 'Prepare'
        order by c.mission_id, c.toolkit_slug, c.created_at desc) as newest
    where error = 'INSPECTION_TIMEOUT')
"""
HELD: Final = """
select exists (
    select from mission_metadata
    where metadata_key = 'inspection_hold'
      and (metadata_value ->> 'held_at')::timestamptz < now() - interval '15 minutes')
"""
# A tool that only reads says so in the second word of its name.
WRITES: Final = """
select exists (
    select from composio_audit_events
    where outcome ? 'inspection_id' and occurred_at > now() - interval '1 hour'
      and split_part(action, '_', 2) not in (
          'LIST', 'FETCH', 'FIND', 'GET', 'SEARCH', 'QUERY', 'READ', 'COUNT', 'EXPORT', 'SHOW'))
"""

RULES: Final = (
    AlertRule(
        name="InspectionWrites",
        severity="critical",
        summary="An inspection changed something at a customer's tool.",
        fires=sql(WRITES),
        service="inspector",
    ),
    AlertRule(
        name="InspectionSlow",
        severity="warning",
        summary="A mission in Prepare has waited for more than 10 s for an inspection.",
        fires=sql(SLOW),
        service="inspector",
    ),
    AlertRule(
        name="InspectionTimedOut",
        severity="warning",
        summary="The newest inspection of a mission's toolkit ended at its time limit.",
        fires=sql(TIMED_OUT),
        service="inspector",
    ),
    AlertRule(
        name="InspectionHeldLong",
        severity="warning",
        summary="An inspection has been on hold for more than 15 minutes.",
        fires=sql(HELD),
        service="inspector",
    ),
)
