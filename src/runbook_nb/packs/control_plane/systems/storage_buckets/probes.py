"""Which buckets anybody may read, and whether that of evidence takes it."""

from runbook_nb.packs.control_plane.systems.storage_buckets._buckets import public_buckets
from runbook_nb.packs.control_plane.systems.storage_buckets._rules import evidence_rules
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure


@probe(unit="buckets", timeout_s=20)
def open_to_anybody(systems: Systems) -> Reading:
    """Count public buckets that hold objects of missions; one with none of these may be public.

    A stranger's request for one object, without a key, is made for each.
    """
    rows = public_buckets(systems)
    objects = sum(row["of customers"] for row in rows)
    figure = ImpactFigure(name="Objects open to anybody", value=f"{objects:,}", weight=objects)
    return Reading(
        value=sum(row["of customers"] > 0 for row in rows),
        detail=rows,
        impact=Impact(severity="SEV1" if objects else "", figures=(figure,)),
    )


@probe(unit="%", timeout_s=20)
def refusing(systems: Systems) -> Reading:
    """Return how much of what came within 30 days the bucket of evidence would refuse today.

    It goes by the bucket's own types and size limit, and by Storage's catalogue of objects.
    """
    rules = evidence_rules(systems)
    detail = [{**row, "bucket": rules.bucket, **rules.as_is} for row in rules.seen]
    return Reading(value=round(100 * rules.refused / rules.total, 1), detail=detail)
