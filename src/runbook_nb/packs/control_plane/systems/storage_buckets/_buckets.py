"""The buckets, what they hold, and whether a stranger is given an object."""

from typing import Any, Final
from urllib.parse import quote

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

BUCKET: Final = "/storage/v1/bucket"
PATIENCE_S: Final = 5.0
# An object is a customer's if its path names a mission or an artifact, under whatever folder.
HELD: Final = """
with named as (
    select o.bucket_id as bucket, o.name,
           (regexp_match(o.name, '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'))[1]::uuid as id
    from storage.objects o
    where o.bucket_id = any(%(buckets)s::text[])
)
select n.bucket, count(*) as objects,
       count(*) filter (where m.id is not null or a.id is not null) as customers,
       count(distinct coalesce(m.tenant_id, of_artifact.tenant_id)) as tenants,
       min(n.name) filter (where m.id is not null or a.id is not null) as example
from named n
left join missions m on m.id = n.id
left join mission_artifacts a on a.id = n.id
left join missions of_artifact on of_artifact.id = a.mission_id
group by n.bucket
"""


def public_buckets(systems: Systems) -> list[dict[str, Any]]:
    """Return the public buckets with what they hold of customers, and what a stranger is told."""
    answer = systems.http("supabase_storage").get(BUCKET)
    listed = answer.json() if "json" in answer.headers.get("content-type", "") else None
    if not answer.is_success or not isinstance(listed, list):
        message = f"Storage answered HTTP {answer.status_code} instead of its buckets."
        raise NoAnswerError(message)
    names = [one["id"] for one in listed if one["public"]]
    rows = {row["bucket"]: row for row in systems.database().rows(HELD, buckets=names)}
    return [_shown(systems, name, rows.get(name, {})) for name in names]


def _shown(systems: Systems, name: str, held: dict[str, Any]) -> dict[str, Any]:
    example = held.get("example")
    return {
        "Bucket": name,
        "objects": held.get("objects", 0),
        "of customers": held.get("customers", 0),
        "tenants": held.get("tenants", 0),
        "a stranger is told": _ask(systems, name, example) if example else "nothing to ask for",
    }


def _ask(systems: Systems, bucket: str, name: str) -> str:
    """Ask for the head of an object without any key, as a stranger would."""
    import httpx

    url = f"{systems.setting('supabase_storage', 'url')}/storage/v1/object/public/{bucket}/"
    try:
        said = httpx.head(f"{url}{quote(name)}", timeout=PATIENCE_S, trust_env=False)
    except httpx.HTTPError as error:
        message = f"A stranger's question got no answer: {type(error).__name__}."
        raise NoAnswerError(message) from error
    return f"HTTP {said.status_code}"
