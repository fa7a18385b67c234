"""What a mission's state means for whoever waits for its agent: one definition for all readings."""

from typing import Final

# A mission that waits for a person, or was stopped on purpose, owes nobody a beat; ``m`` is the
# mission and ``s`` its session. An approval that was asked for when the beats ended explains them.
WAITING: Final = """(
    m.status in ('draft', 'ready', 'blocked')
    or m.current_stage = 'Approve'
    or exists (
        select from mission_approvals waiting
        where waiting.mission_id = m.id
          and waiting.status in ('requested', 'delegated')
          and waiting.created_at >= s.last_heartbeat_at - interval '15 minutes'
    )
    or exists (
        select from mission_stage_status stopped
        where stopped.mission_id = m.id
          and stopped.stage = m.current_stage
          and stopped.status = 'blocked'
    )
)"""

# A blocked mission ``m`` was stopped on purpose where a reason was given and nothing failed.
_REASON_GIVEN: Final = """exists (
    select from mission_stage_status reason
    where reason.mission_id = m.id
      and reason.stage = m.current_stage
      and reason.blocking_reason is not null
)"""
FAILED_AROUND: Final = """exists (
    select from telemetry_events failure
    where failure.mission_id = m.id
      and failure.status = 'error'
      and failure.created_at between m.updated_at - interval '15 minutes'
                                 and m.updated_at + interval '5 minutes'
)"""
ON_PURPOSE: Final = f"({_REASON_GIVEN} and not {FAILED_AROUND})"
