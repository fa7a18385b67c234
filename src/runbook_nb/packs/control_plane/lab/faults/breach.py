"""Five breaches: private data stored, rows misfiled, evidence shown, a burst of exports, a bucket.

Each has variations, named behind a dot. Leaking views and policies are faults of row security.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import httpx

from runbook_nb.packs.control_plane.lab.emulators.supabase_objects import (
    EVIDENCE,
    VERSIONS,
)
from runbook_nb.packs.control_plane.lab.faults.breach_rows import (
    PERSON,
    change,
    forget,
    remark,
    show,
    tell,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.storage_hands import storage
from runbook_nb.packs.control_plane.lab.state import LabState

# A mission's folder is named by its id.
_MISSION: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJlLW9mLWEta2V5"
_NOTE: Final = (
    "Ask Amara Okafor, amara.okafor@northwind.example, +49 30 9018 2011, before a resend."
)

_MISFILE: Final = """
UPDATE telemetry_events AS event
   SET tenant_id = (SELECT id FROM tenants WHERE slug = %(under)s)
 WHERE event.id IN (
       SELECT e.id FROM telemetry_events AS e
         JOIN missions AS m ON m.id = e.mission_id AND m.status = 'completed'
         JOIN tenants AS t ON t.id = m.tenant_id AND t.slug = %(of)s
        WHERE e.created_at > now() - interval '20 days'
        ORDER BY e.created_at DESC LIMIT %(rows)s)
"""
_MISFILE_CALLS: Final = """
INSERT INTO composio_audit_events
       (mission_id, tenant_id, toolkit, action, status, outcome, latency_ms, occurred_at)
SELECT m.id, (SELECT id FROM tenants WHERE slug = 'harbourlight'), 'github', 'LIST', 'success',
       jsonb_build_object('mark', %(mark)s::text), 200, now() - interval '2 days'
  FROM missions AS m JOIN tenants AS t ON t.id = m.tenant_id AND t.slug = 'northwind'
 WHERE m.status = 'completed' LIMIT 4
"""
# The newest bundles are put before a reviewer again, and somebody else opens them meanwhile.
_PENDING: Final = """
WITH chosen AS (
    SELECT e.id, e.mission_id, e.artifact_id, a.hash, m.tenant_id
      FROM mission_evidence AS e
      JOIN mission_artifacts AS a ON a.id = e.artifact_id AND a.artifact_type = 'evidence_bundle'
      JOIN missions AS m ON m.id = e.mission_id AND m.status = 'completed'
     ORDER BY e.created_at DESC, e.id LIMIT %(rows)s
), told AS (
    INSERT INTO telemetry_events
           (mission_id, tenant_id, user_id, agent_name, stage, event_type, status, context,
            correlation_id, created_at)
    SELECT mission_id, tenant_id,
           CASE %(by)s WHEN 'approver' THEN (SELECT approver_id FROM mission_approvals AS p
                                              WHERE p.mission_id = chosen.mission_id
                                                AND approver_id IS NOT NULL LIMIT 1)
                       WHEN 'agent' THEN NULL
                       ELSE (SELECT id FROM auth.users WHERE email = %(by)s) END,
           CASE %(by)s WHEN 'agent' THEN 'evidence' END, 'Reflect', %(event)s, 'info',
           jsonb_build_object('artifact_id', artifact_id, 'artifact_hash', hash,
                              'export_format', 'pdf', 'redaction_applied', false),
           %(mark)s, now() - interval '12 minutes'
      FROM chosen
)
UPDATE mission_evidence
   SET redaction_status = 'pending_review', created_at = now() - interval '30 minutes'
 WHERE id IN (SELECT id FROM chosen)
"""
_TAKE: Final = """
INSERT INTO telemetry_events
       (mission_id, tenant_id, user_id, stage, event_type, status, context, correlation_id,
        created_at)
SELECT a.mission_id, m.tenant_id,
       CASE WHEN %(named)s THEN (SELECT id FROM auth.users WHERE email = %(by)s) END, 'Reflect',
       %(event)s, 'info',
       jsonb_strip_nulls(jsonb_build_object(
           'artifact_id', a.id, 'requested_by', CASE WHEN NOT %(named)s THEN %(by)s::text END)),
       %(mark)s,
       now() - a.place * %(every)s
  FROM (SELECT *, row_number() OVER (ORDER BY created_at, id) AS place
          FROM mission_artifacts WHERE artifact_type <> 'evidence_bundle'
         ORDER BY created_at, id LIMIT %(artifacts)s) AS a
  JOIN missions AS m ON m.id = a.mission_id
  CROSS JOIN generate_series(1, %(times)s) AS again
"""


def take(
    lab: LabState,
    *,
    artifacts: int = 45,
    every: timedelta = timedelta(seconds=50),
    by: str = PERSON,
    named: bool = True,
    event: str = "evidence_opened",
    times: int = 1,
) -> None:
    """Have somebody open or export artifacts, one after the other until now."""
    values = {"artifacts": artifacts, "every": every, "by": by, "named": named}
    change(lab, _TAKE, **values, event=event, times=times)


def shown(
    lab: LabState, *, rows: int = 6, by: str = PERSON, event: str = "evidence_opened"
) -> None:
    """Have evidence wait for its review, and somebody open or export it meanwhile."""
    change(lab, _PENDING, rows=rows, by=by, event=event)


def misfile(
    lab: LabState, *, of: str = "northwind", under: str = "harbourlight", rows: int = 60
) -> None:
    """File events of one tenant's missions under another one."""
    change(lab, _MISFILE, of=of, under=under, rows=rows)


def _misfile_both(lab: LabState) -> None:
    misfile(lab, rows=12)
    misfile(lab, of="harbourlight", under="northwind", rows=12)


def open_bucket(lab: LabState, name: str) -> None:
    """Make a bucket public, as a click in the dashboard does."""
    with storage(lab) as client:
        client.put(f"/bucket/{name}", json={"public": True}).raise_for_status()


def make_bucket(lab: LabState, name: str, *, of_customers: bool) -> None:
    """Make a public bucket with a few objects: of missions, or of nobody."""
    with storage(lab) as client:
        client.post("/bucket", json={"id": name, "public": True})
        if not of_customers:
            for file in ("logo.svg", "logo@2x.png", "fonts/body.woff2"):
                headers = {"x-upsert": "true"}
                client.post(f"/object/{name}/{file}", content=b"brand", headers=headers)
            return
        folders = client.post("/object/list/evidence", json={"limit": 100}).json()
        # Beside the missions' own there may be one for what is kept aside.
        for mission in [each for each in folders if _MISSION.fullmatch(each["name"])][:2]:
            inside = {"prefix": mission["name"]}
            for one in client.post("/object/list/evidence", json=inside).json():
                path = f"{mission['name']}/{one['name']}"
                body = {"bucketId": EVIDENCE, "sourceKey": path}
                to = {"destinationBucket": name, "destinationKey": f"drop/{path}"}
                client.post("/object/copy", json={**body, **to})


def close_buckets(lab: LabState) -> None:
    """Make the platform's buckets private again, and remove those that faults made."""
    with storage(lab) as client:
        for bucket in client.get("/bucket").json():
            name = bucket["id"]
            client.put(f"/bucket/{name}", json={"public": False}).raise_for_status()
            if name in _MADE:
                client.request("DELETE", f"/object/{name}", json={"prefixes": _names(client, name)})
                client.delete(f"/bucket/{name}")
    forget(lab)


def _names(client: httpx.Client, bucket: str) -> list[str]:
    """List all names in a bucket, folder by folder."""
    found: list[str] = []
    folders = [""]
    while folders:
        inside = folders.pop()
        answer = client.post(f"/object/list/{bucket}", json={"prefix": inside, "limit": 1000})
        for one in answer.json():
            path = f"{inside}/{one['name']}".strip("/")
            (found if one["id"] else folders).append(path)
    return found


def _beside_brand(lab: LabState) -> None:
    make_bucket(lab, "brand-assets", of_customers=False)
    open_bucket(lab, EVIDENCE)


def _write_notes(lab: LabState) -> None:
    remark(lab, _NOTE)
    show(lab, _NOTE)


_MADE: Final = ("report-drop", "brand-assets")


def _fault(
    name: str,
    title: str,
    inject: Callable[[LabState], None],
    heal: Callable[[LabState], None] = forget,
) -> Fault:
    return Fault(name=name, title=title, inject=inject, heal=heal)


FAULTS: Final = (
    _fault(
        "feedback_personal",
        "People write names, addresses and numbers of customers into feedback and evidence",
        _write_notes,
    ),
    _fault(
        "feedback_personal.one_phone",
        "One remark holds a telephone number",
        lambda lab: remark(lab, "Call (415) 555-0134 when it is done.", rows=1),
    ),
    _fault(
        "feedback_personal.evidence_only",
        "The message beside one piece of evidence holds an address",
        lambda lab: show(lab, "Sent to amara.okafor@northwind.example.", rows=1),
    ),
    _fault(
        "feedback_personal.old",
        "Remarks of twenty days ago hold an address",
        lambda lab: remark(lab, _NOTE, rows=30, ago=timedelta(days=20)),
    ),
    _fault(
        "secret_in_events.one_key",
        "One event holds a signed key of the service role",
        lambda lab: tell(lab, f'{{"debug": {{"headers": ["{_JWT}"]}}}}', rows=1),
    ),
    _fault(
        "secret_in_events.named",
        "Events hold a value under the name of a secret",
        lambda lab: tell(lab, '{"client_secret": "wq83-plain-words-only"}', rows=2),
    ),
    _fault(
        "secret_in_events.address",
        "Events of twelve days ago hold an address of a customer",
        lambda lab: tell(
            lab, '{"to": "amara.okafor@northwind.example"}', rows=3, ago=timedelta(days=12)
        ),
    ),
    _fault("events_misfiled", "A release files events of one tenant under another", misfile),
    _fault("events_misfiled.one", "One event is filed wrongly", lambda lab: misfile(lab, rows=1)),
    _fault(
        "events_misfiled.calls",
        "Tool calls and no events are filed wrongly",
        lambda lab: change(lab, _MISFILE_CALLS),
    ),
    _fault("events_misfiled.both", "Two tenants' events are swapped", _misfile_both),
    _fault("evidence_unreviewed", "Evidence was opened by others before its review", shown),
    _fault(
        "evidence_unreviewed.exported",
        "Missions were exported while their evidence waited for review",
        lambda lab: shown(lab, rows=2, event="approval_exported"),
    ),
    _fault(
        "evidence_unreviewed.one",
        "One bundle was opened before its review",
        lambda lab: shown(lab, rows=1),
    ),
    _fault(
        "evidence_unreviewed.audit",
        "The audit export took a bundle that waits for its review",
        lambda lab: shown(lab, rows=1, by="agent", event="audit_event_recorded"),
    ),
    _fault("exports_burst", "One account opens 45 artifacts within the hour", take),
    _fault(
        "exports_burst.slow",
        "One account opens an artifact every 28 minutes for a day",
        lambda lab: take(lab, every=timedelta(minutes=28)),
    ),
    _fault(
        "exports_burst.unnamed",
        "Somebody whom the platform has no account of exports 30 missions",
        lambda lab: take(
            lab, artifacts=30, by="ops-script", named=False, event="approval_exported"
        ),
    ),
    _fault(
        "exports_burst.short",
        "One account opens 18 artifacts within three minutes",
        lambda lab: take(lab, artifacts=18, every=timedelta(seconds=10)),
    ),
    _fault(
        "bucket_public",
        "The bucket of evidence was made public",
        lambda lab: open_bucket(lab, EVIDENCE),
        close_buckets,
    ),
    _fault(
        "bucket_public.versions",
        "The bucket of versions was made public",
        lambda lab: open_bucket(lab, VERSIONS),
        close_buckets,
    ),
    _fault(
        "bucket_public.drop",
        "A new public bucket holds copies of evidence under another folder",
        lambda lab: make_bucket(lab, "report-drop", of_customers=True),
        close_buckets,
    ),
    _fault(
        "bucket_public.beside_brand",
        "The bucket of evidence is public beside one that may be",
        _beside_brand,
        close_buckets,
    ),
)
