"""How buckets are closed to strangers, and that of evidence is opened to uploads."""

from collections.abc import Mapping
from typing import Any

from runbook_nb.packs.control_plane.systems.storage_buckets._buckets import (
    BUCKET,
    public_buckets,
)
from runbook_nb.packs.control_plane.systems.storage_buckets._rules import evidence_rules
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


@action(timeout_s=30, repeatable=True, contained=True)
def take_evidence(systems: Systems) -> Json:
    """Have the bucket of evidence take all types and sizes that came within 30 days.

    Only a rule that refuses one of these is changed; who may read the bucket stays as it is.
    """
    rules = evidence_rules(systems)
    if rules.wider:
        _change(systems, rules.bucket, rules.wider)
    return {"bucket": rules.bucket, "before": rules.as_is, "changed": rules.wider}


@take_evidence.rehearsal
def _(systems: Systems) -> Json:
    rules = evidence_rules(systems)
    return {"bucket": rules.bucket, "now": rules.as_is, "would change": rules.wider}


@take_evidence.undo
def _(systems: Systems, result: Json) -> Json:
    before = {name: result["before"][name] for name in result["changed"]}
    if before:
        _change(systems, result["bucket"], before)
    return {"as before": before}


def _set(systems: Systems, bucket: str, *, public: bool) -> None:
    _change(systems, bucket, {"public": public})


def _change(systems: Systems, bucket: str, rules: Mapping[str, Any]) -> None:
    storage = systems.http("supabase_storage")
    storage.request("PUT", f"{BUCKET}/{bucket}", json=dict(rules)).raise_for_status()
