"""One inspection, and the rows that it writes: pages read, the check, and the stage at its end."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import uuid4


class Phase(StrEnum):
    """Where an inspection is."""

    QUEUED = "queued"
    READING = "reading"
    SAVING = "saving"


# Toolkits on hold are left alone, whoever asks for them. The owner's scope says how many rows.
BEGIN: Final = """
SELECT m.id::text AS mission_id, m.tenant_id::text, chosen.toolkit_slug AS toolkit,
       coalesce((scope.metadata_value ->> 'sample_rows')::int, 500) AS rows_wanted
  FROM missions AS m
  JOIN toolkit_selections AS chosen ON chosen.mission_id = m.id
  LEFT JOIN mission_metadata AS scope
    ON scope.mission_id = m.id AND scope.metadata_key = 'inspection_scope'
  LEFT JOIN mission_metadata AS hold
    ON hold.mission_id = m.id AND hold.metadata_key = 'inspection_hold'
 WHERE m.id = %(mission)s
   AND (%(toolkits)s::text[] IS NULL OR chosen.toolkit_slug = ANY(%(toolkits)s))
   AND NOT coalesce(hold.metadata_value -> 'toolkits' ? chosen.toolkit_slug, false)
 ORDER BY chosen.rank, chosen.toolkit_slug
"""
RECORD_PAGE: Final = """
INSERT INTO composio_audit_events
       (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, error_code, retries)
SELECT id, tenant_id, %(toolkit)s, %(action)s, %(status)s, %(outcome)s, %(latency_ms)s,
       %(error_code)s, %(retries)s
  FROM missions
 WHERE id = %(mission)s
"""
SAVE: Final = """
WITH kept AS (
    INSERT INTO data_inspection_checks
           (mission_id, toolkit_slug, coverage_percent, sample_count, pii_flags, outcome, details)
    VALUES (%(mission)s, %(toolkit)s, %(coverage)s, %(rows)s, '[]',
            %(outcome)s::inspection_outcome, %(details)s)
)
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id)
SELECT id, tenant_id, 'inspector', 'Prepare', 'data_preview_generated',
       %(level)s::telemetry_level,
       jsonb_build_object(
           'mission_id', id, 'tenantId', tenant_id, 'stage', 'Prepare',
           'toolkit', %(toolkit)s::text, 'sample_count', %(rows)s::int,
           'inspection_id', %(details)s::jsonb ->> 'inspection_id', 'redaction_applied', true),
       %(details)s::jsonb ->> 'inspection_id'
  FROM missions
 WHERE id = %(mission)s
"""
# The stage ends with the last of the mission's inspections; one on hold has not ended.
FINISH: Final = """
WITH newest AS (
    SELECT DISTINCT ON (c.toolkit_slug) c.toolkit_slug, c.outcome, c.coverage_percent
      FROM data_inspection_checks AS c
      JOIN mission_stage_status AS s ON s.mission_id = c.mission_id AND s.stage = 'Prepare'
     WHERE c.mission_id = %(mission)s AND c.created_at >= s.started_at
     ORDER BY c.toolkit_slug, c.created_at DESC
), summed AS (
    SELECT bool_and(outcome = 'pass') AS passed, round(avg(coverage_percent), 2) AS coverage,
           string_agg(toolkit_slug, ', ') FILTER (WHERE outcome <> 'pass') AS failed
      FROM newest
), stage AS (
    UPDATE mission_stage_status AS s
       SET status = (CASE WHEN passed THEN 'ready' ELSE 'blocked' END)::stage_progress_state,
           readiness_state = (CASE WHEN passed THEN 'ready' ELSE 'needs_data' END)::readiness_state,
           coverage_percent = coverage,
           blocking_reason = CASE WHEN passed THEN NULL
                                  ELSE 'The inspection did not end: ' || failed END
      FROM summed
     WHERE s.mission_id = %(mission)s AND s.stage = 'Prepare' AND s.status = 'in_progress'
       AND passed IS NOT NULL
       AND NOT EXISTS (
           SELECT FROM mission_metadata AS hold
            WHERE hold.mission_id = s.mission_id AND hold.metadata_key = 'inspection_hold')
    RETURNING s.mission_id, passed
)
UPDATE missions AS m
   SET status = (CASE WHEN passed THEN 'ready' ELSE 'in_progress' END)::mission_status,
       readiness = (CASE WHEN passed THEN 'ready' ELSE 'needs_data' END)::readiness_state,
       ready_at = CASE WHEN passed THEN %(at)s ELSE m.ready_at END
  FROM stage
 WHERE m.id = stage.mission_id
"""


@dataclass(kw_only=True)
class Inspection:
    """One toolkit of one mission, from the request to the row; times are seconds."""

    mission_id: str
    tenant_id: str
    toolkit: str
    rows_wanted: int
    id: str = field(default_factory=lambda: uuid4().hex)
    rows_read: int = 0
    phase: Phase = Phase.QUEUED
    _entered: dict[Phase, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin to wait."""
        self.enter(Phase.QUEUED)

    def enter(self, phase: Phase) -> None:
        """Come to a phase now."""
        self.phase = phase
        self._entered[phase] = time.monotonic()

    def as_json(self) -> dict[str, object]:
        """Return the inspection with the seconds that it has spent in each phase."""
        return {
            "id": self.id,
            "mission_id": self.mission_id,
            "tenant_id": self.tenant_id,
            "toolkit": self.toolkit,
            "phase": self.phase.value,
            "rows_wanted": self.rows_wanted,
            "rows_read": self.rows_read,
            "age_s": round(time.monotonic() - self._entered[Phase.QUEUED], 2),
            **{f"{phase}_s": self._spent_s(phase) for phase in Phase},
        }

    def _spent_s(self, phase: Phase) -> float:
        began = self._entered.get(phase)
        if began is None:
            return 0.0
        ended = min((at for at in self._entered.values() if at > began), default=time.monotonic())
        return round(ended - began, 2)
