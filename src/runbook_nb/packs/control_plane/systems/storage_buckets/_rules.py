"""Whether the bucket of evidence takes what evidence is: types and sizes of a month."""

from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.storage_buckets._buckets import BUCKET
from runbook_nb.probes.calls import Systems

# What came within 30 days is what comes.
SEEN: Final = """
select o.metadata ->> 'mimetype' as type, count(*) as objects,
       max((o.metadata ->> 'size')::bigint) as largest,
       count(*) filter (where (o.metadata ->> 'size')::bigint > %(limit)s::bigint) as too_large
from storage.objects o
where o.bucket_id = %(bucket)s and o.created_at > now() - interval '30 days'
group by 1
order by 2 desc
"""


@dataclass(frozen=True, kw_only=True)
class BucketRules:
    """What a bucket takes now, and what came into it within 30 days, by type."""

    bucket: str
    types: list[str] | None
    limit: int | None
    seen: list[dict[str, Any]]

    @property
    def total(self) -> int:
        """How many objects came."""
        return sum(row["objects"] for row in self.seen)

    @property
    def refused(self) -> int:
        """How many of them it would refuse today."""
        return sum(
            row["too_large"] if self._takes(row["type"]) else row["objects"] for row in self.seen
        )

    @property
    def wider(self) -> dict[str, Any]:
        """The rules with which it would take them all; only what refuses is changed."""
        changed: dict[str, Any] = {}
        kinds = [row["type"] for row in self.seen if not self._takes(row["type"])]
        if self.types and kinds:
            changed["allowed_mime_types"] = [*self.types, *kinds]
        if self.limit is not None and any(row["too_large"] for row in self.seen):
            # Without a limit of its own a bucket has the project's.
            changed["file_size_limit"] = None
        return changed

    @property
    def as_is(self) -> dict[str, Any]:
        """The rules as they are, in the API's words."""
        return {"allowed_mime_types": self.types, "file_size_limit": self.limit}

    def _takes(self, kind: str) -> bool:
        if not self.types:
            return True
        return any(one in {"*/*", kind, f"{kind.partition('/')[0]}/*"} for one in self.types)


def evidence_rules(systems: Systems) -> BucketRules:
    """Return the rules of the bucket of evidence; raises NoAnswerError where it is not shown."""
    bucket = systems.setting("supabase_storage", "bucket")
    answer = systems.http("supabase_storage").get(f"{BUCKET}/{bucket}")
    is_json = "json" in answer.headers.get("content-type", "")
    shown = answer.json() if is_json else None
    if not answer.is_success or not isinstance(shown, dict) or "file_size_limit" not in shown:
        message = f"Storage answered HTTP {answer.status_code} instead of the bucket {bucket}."
        raise NoAnswerError(message)
    limit = shown["file_size_limit"]
    seen = systems.database().rows(SEEN, bucket=bucket, limit=limit)
    if not seen:
        message = f"Nothing came into {bucket} within 30 days, so nothing tells what it must take."
        raise NoAnswerError(message)
    return BucketRules(
        bucket=bucket, types=shown["allowed_mime_types"] or None, limit=limit, seen=seen
    )
