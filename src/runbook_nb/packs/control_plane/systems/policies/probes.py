"""What is read of the live policies and switches."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.policies._policies import (
    POLICIES,
    ROW_SECURITY,
    SWITCHES,
    Policy,
    absent_tables,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="policies", timeout_s=60)
def drift(systems: Systems) -> Reading:
    """Count policies that are missing, changed, or there without being committed.

    Compared is what they let each caller do, and not their words. Of a table that is not there
    nothing is known: it is named. Raises NoAnswerError where none of the tables is there.
    """
    committed = POLICIES.committed(systems)
    absent = absent_tables(systems.database(), committed)
    if absent and len(absent) == len({policy["table"] for policy in committed.values()}):
        message = f"None of the tables is there that policies are committed for: {absent[0]}, …"
        raise NoAnswerError(message)
    rows = [
        {
            "Policy": each.item,
            "differs": each.kind,
            "committed": _said(each.committed),
            "found": _said(each.found),
        }
        for each in POLICIES.differing(systems, committed)
    ]
    unknown = [{"Table": table, "differs": "unknown: it is not there"} for table in absent]
    return Reading(value=len(rows), detail=[*rows, *unknown])


@probe(unit="tables")
def switched_off(systems: Systems) -> Reading:
    """Count tables without row level security, beyond those committed as known."""
    committed = ROW_SECURITY.committed(systems)
    unknown = {each.item for each in ROW_SECURITY.differing(systems, committed)}
    detail = [
        {
            "Table": row["table"],
            "policies": row["policies"],
            "row level security": "off" if row["table"] in unknown else "off, as known",
        }
        for row in systems.database().rows(SWITCHES)
        if not row["row level security"]
    ]
    return Reading(value=len(unknown), detail=detail)


def _said(policy: Policy | None) -> str:
    if policy is None:
        return "none"
    parts = [f"{clause} {policy[clause]}" for clause in ("using", "check") if policy[clause]]
    return f"for {policy['command'].lower()} {' '.join(parts)}"
