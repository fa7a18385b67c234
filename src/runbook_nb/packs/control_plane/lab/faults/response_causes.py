"""Causes that the general protocol hands over: a toolkit down, a leak, a release that impairs."""

from datetime import timedelta

from runbook_nb.packs.control_plane.lab.faults.backups_rows import delete_stages, put_back
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.faults.response_rows import (
    heal_calls,
    heal_events,
    leave_errors,
    leave_errors_of_ended,
    leave_failures,
)
from runbook_nb.packs.control_plane.lab.faults.response_told import forget_what_was_told
from runbook_nb.packs.control_plane.lab.state import LabState

_STAGES = "stages_lost"
_MARK = "response-fault"  # as the rows of the other faults, so that one heal knows all
_LEAK = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, agent_name, stage, event_type, status, context, correlation_id)
SELECT mission.id, mission.tenant_id, 'evidence', 'Reflect', 'evidence_opened', 'info',
       '{"artifact_type": "draft", "text": "Bearer 1f0c9d7be2a34c5d8e6f70a1b2c3d4e5"}', %(mark)s
  FROM missions AS mission
 WHERE mission.status = 'completed'
 ORDER BY mission.id
 LIMIT 3
"""
_RELEASE = """
INSERT INTO telemetry_events (event_type, status, context, correlation_id, created_at)
VALUES ('deployment_completed', 'success',
        '{"component": "agent", "release": "v99"}', %(mark)s, now() - interval '20 minutes')
"""


def take_toolkit_down(lab: LabState) -> None:
    """Have the newest 30 calls of three missions to one toolkit end in an error."""
    leave_failures(lab, toolkit="github", word="error", code="UPSTREAM_TIMEOUT", calls=30)


def leak_secret(lab: LabState) -> None:
    """Leave a bearer token in the events of three missions."""
    with superuser(lab) as connection:
        connection.execute(_LEAK, {"mark": _MARK})


def release_badly(lab: LabState) -> None:
    """Record a release of 20 minutes ago, and errors of three missions since."""
    with superuser(lab) as connection:
        connection.execute(_RELEASE, {"mark": _MARK})
    leave_errors(lab, ago=timedelta(0))


def lose_stages(lab: LabState) -> None:
    """Lose the stages of a tenant's finished missions."""
    delete_stages(lab, name=_STAGES, tenant="northwind")


def find_stages(lab: LabState) -> None:
    """Put the stages back, and forget what was told."""
    put_back(lab, name=_STAGES)
    forget_what_was_told(lab)


FAULTS = (
    Fault(
        name=_STAGES,
        title="The stages of finished missions are gone, and the missions are there",
        inject=lose_stages,
        heal=find_stages,
    ),
    Fault(
        name="errors_elsewhere",
        title="Errors go on of missions that ended: nobody at work is affected",
        inject=leave_errors_of_ended,
        heal=heal_events,
    ),
    Fault(
        name="toolkit_down",
        title="Every call to one toolkit ends in an error",
        inject=take_toolkit_down,
        heal=heal_calls,
    ),
    Fault(
        name="secret_in_events",
        title="A bearer token stands in events that others can read",
        inject=leak_secret,
        heal=heal_events,
    ),
    Fault(
        name="release_impairs",
        title="Missions fail since a release of 20 minutes ago",
        inject=release_badly,
        heal=heal_events,
    ),
)
