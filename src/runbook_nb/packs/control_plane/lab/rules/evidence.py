"""Alert rules for evidence: objects that are not as recorded, hashes in a wrong form, uploads."""

import hashlib
from typing import Any, Final

from runbook_nb.packs.control_plane.lab.inspection import NO_CERTIFICATES
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState
from runbook_nb.timeline.store.embedded.files import read_secret

_LOOKED_AT: Final = 6
# What an alert looks at is due: five minutes after its row, and not purged by retention.
_NEWEST: Final = """
select storage_path, lower(hash) from mission_artifacts
where storage_path is not null and created_at < now() - interval '5 minutes'
order by created_at desc, id
limit %(count)s
"""
_MALFORMED: Final = """
select exists (
    select from mission_artifacts where storage_path is not null and hash !~ '^[0-9a-f]{64}$')
"""
# The platform's target: at most 10 % of the uploads fail. Fewer than five are no rate.
_UPLOADS: Final = """
select count(*) filter (where o.id is null and v.id is null) > greatest(4, 0.1 * count(*))
from mission_artifacts a
left join storage.objects o on o.bucket_id || '/' || o.name = a.storage_path
left join storage.objects v on v.name = a.storage_path
where a.storage_path is not null
  and a.created_at between now() - interval '1 day' and now() - interval '5 minutes'
"""


def _is_not_as_recorded(lab: LabState, connection: Any) -> bool:
    import httpx

    key = read_secret(lab.folder, "supabase_storage.token")
    url = f"http://127.0.0.1:{lab.ports['supabase_storage']}/storage/v1/object"
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(headers=headers, trust_env=False, verify=NO_CERTIFICATES) as client:
        for path, recorded in connection.execute(_NEWEST, {"count": _LOOKED_AT}).fetchall():
            answer = client.get(f"{url}/{path}")
            if hashlib.sha256(answer.content).hexdigest() != recorded:
                return True
    return False


RULES: Final = (
    AlertRule(
        name="EvidenceNotAsRecorded",
        severity="critical",
        summary="The object of a new artifact is missing, or has another hash than its row.",
        fires=_is_not_as_recorded,
        service="database",
    ),
    AlertRule(
        name="EvidenceHashMalformed",
        severity="warning",
        summary="A row of evidence names a hash that is no SHA-256 in lower case.",
        fires=sql(_MALFORMED),
        service="database",
    ),
    AlertRule(
        name="EvidenceUploadsFailing",
        severity="critical",
        summary="More than 10 % of the uploads of evidence of a day never arrived.",
        fires=sql(_UPLOADS),
        service="database",
    ),
)
