"""How buckets are closed."""

from runbook_nb.packs.control_plane.systems.storage_buckets._buckets import (
    BUCKET,
    public_buckets,
)
from runbook_nb.probes.calls import Systems, action
from runbook_nb.text.values import Json


@action(timeout_s=60, repeatable=True, contained=True)
def close(systems: Systems) -> Json:
    """Make every public bucket private that holds objects of missions; others are left."""
    found = [row for row in public_buckets(systems) if row["of customers"]]
    for row in found:
        _set(systems, row["Bucket"], public=False)
    return {
        "closed": [{"bucket": row["Bucket"], "objects": row["of customers"]} for row in found],
        "open after": sum(row["of customers"] > 0 for row in public_buckets(systems)),
    }


@close.rehearsal
def _(systems: Systems) -> Json:
    return {"would close": [row for row in public_buckets(systems) if row["of customers"]]}


@close.undo
def _(systems: Systems, result: Json) -> Json:
    for row in result["closed"]:
        _set(systems, row["bucket"], public=True)
    return {"public again": [row["bucket"] for row in result["closed"]]}


def _set(systems: Systems, bucket: str, *, public: bool) -> None:
    storage = systems.http("supabase_storage")
    storage.request("PUT", f"{BUCKET}/{bucket}", json={"public": public}).raise_for_status()
