"""The hands for breaches: rows that say too much, are filed wrongly, or tell who took what."""

from datetime import timedelta
from typing import Any, Final

import httpx

from runbook_nb.errors import LabError
from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import EVIDENCE, WITHHELD
from runbook_nb.packs.control_plane.lab.faults.outside import Connection, superuser
from runbook_nb.packs.control_plane.lab.faults.storage_hands import storage
from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.state import LabState

MARK: Final = "breach-fault"
# A person who signs in; ids of people are drawn from their address.
PERSON: Final = "chen@northwind.example"

_EVENTS: Final = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, user_id, agent_name, stage, event_type, status, context,
        correlation_id, created_at)
SELECT mission.id, mission.tenant_id, NULL, 'executor', 'Execute', 'execution_step_completed',
       'info',
       %(context)s::jsonb, %(mark)s, now() - %(ago)s
  FROM missions AS mission
  JOIN tenants AS tenant ON tenant.id = mission.tenant_id AND tenant.slug = %(tenant)s
 WHERE mission.status = 'completed'
 ORDER BY mission.id
 LIMIT %(rows)s
"""
_FEEDBACK: Final = """
INSERT INTO mission_feedback (mission_id, rating, qualitative_notes, submitted_at, metadata)
SELECT mission.id, 4, %(text)s, now() - %(ago)s, jsonb_build_object('mark', %(mark)s::text)
  FROM missions AS mission WHERE mission.status = 'completed' ORDER BY mission.id LIMIT %(rows)s
"""
_EVIDENCE: Final = """
INSERT INTO mission_evidence
       (mission_id, artifact_id, display_message, source_stage, redaction_status, metadata,
        created_at)
SELECT artifact.mission_id, artifact.id, %(text)s, 'Reflect', 'applied',
       jsonb_build_object('mark', %(mark)s::text), now() - %(ago)s
  FROM mission_artifacts AS artifact WHERE artifact_type = 'evidence_bundle'
 ORDER BY artifact.id LIMIT %(rows)s
"""
_FORGET: Final = (
    "DELETE FROM telemetry_events WHERE correlation_id = %(mark)s",
    "DELETE FROM composio_audit_events WHERE outcome ->> 'mark' = %(mark)s",
    "DELETE FROM mission_feedback WHERE metadata ->> 'mark' = %(mark)s",
    "DELETE FROM mission_evidence WHERE metadata ->> 'mark' = %(mark)s",
    """
    UPDATE mission_evidence AS evidence
       SET redaction_status = 'applied', created_at = artifact.created_at
      FROM mission_artifacts AS artifact
     WHERE artifact.id = evidence.artifact_id AND evidence.redaction_status = 'pending_review'
    """,
    """
    UPDATE telemetry_events AS event SET tenant_id = mission.tenant_id
      FROM missions AS mission
     WHERE mission.id = event.mission_id AND event.tenant_id IS DISTINCT FROM mission.tenant_id
    """,
    """
    UPDATE auth.users
       SET banned_until = NULL, raw_app_meta_data = raw_app_meta_data - 'stopped_at'
     WHERE banned_until IS NOT NULL
    """,
    """
    INSERT INTO auth.sessions (id, user_id, created_at)
    SELECT md5('session of ' || email)::uuid, id, last_sign_in_at FROM auth.users
    ON CONFLICT (id) DO NOTHING
    """,
)
_WITHHELD: Final = """
SELECT storage_path, metadata ->> 'withheld_from' FROM mission_artifacts
 WHERE metadata ? 'withheld_from'
"""
_BACK: Final = """
UPDATE mission_artifacts
   SET storage_path = metadata ->> 'withheld_from', metadata = metadata - 'withheld_from',
       updated_at = created_at
 WHERE metadata ? 'withheld_from'
"""


def tell(
    lab: LabState,
    context: str,
    *,
    rows: int = 3,
    tenant: str = "northwind",
    ago: timedelta = timedelta(0),
) -> None:
    """Leave a context in the events of finished missions."""
    with superuser(lab) as connection:
        values = {"context": context, "rows": rows, "tenant": tenant, "ago": ago, "mark": MARK}
        connection.execute(_EVENTS, values)


def remark(lab: LabState, text: str, *, rows: int = 5, ago: timedelta = timedelta(0)) -> None:
    """Leave a remark in the feedback of finished missions."""
    change(lab, _FEEDBACK, text=text, rows=rows, ago=ago)


def show(lab: LabState, text: str, *, rows: int = 2, ago: timedelta = timedelta(0)) -> None:
    """Leave a message beside evidence."""
    change(lab, _EVIDENCE, text=text, rows=rows, ago=ago)


def change(lab: LabState, statement: str, **values: Any) -> None:
    """Run a statement that must change something."""
    with superuser(lab) as connection:
        if not connection.execute(statement.encode(), {"mark": MARK, **values}).rowcount:
            raise LabError("Nothing was changed; heal the lab first.")


def forget(lab: LabState) -> None:
    """Put rows, people, objects and the edge back as they were."""
    with superuser(lab) as connection, connection.transaction():
        # Else triggers would stamp the rows.
        connection.execute("SET LOCAL session_replication_role = replica")
        for statement in _FORGET:
            connection.execute(statement.encode(), {"mark": MARK})
        _show_again(lab, connection)
    _open_exports(lab)


def _show_again(lab: LabState, connection: Connection) -> None:
    """Move withheld objects back to where they were."""
    with storage(lab) as client:
        for path, before in connection.execute(_WITHHELD.encode()).fetchall():
            body = {
                "bucketId": WITHHELD,
                "sourceKey": path.partition("/")[2],
                "destinationBucket": EVIDENCE,
                "destinationKey": before.partition("/")[2],
            }
            client.post("/object/copy", json=body, headers={"x-upsert": "true"})
            client.delete(f"/object/{path}")
    connection.execute(_BACK.encode())


def _open_exports(lab: LabState) -> None:
    url = f"http://127.0.0.1:{lab.ports['edge_admin']}/id/exports-closed"
    httpx.delete(url, trust_env=False, verify=NO_CERTIFICATES)
