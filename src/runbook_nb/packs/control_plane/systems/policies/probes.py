"""What is read of the live policies and switches."""

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems.policies._policies import (
    EXPECTED,
    SWITCHES,
    Policy,
    absent_tables,
    differing,
    key_of,
    unknown_policies,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="policies", timeout_s=60)
def drift(systems: Systems) -> Reading:
    """Count policies that are missing, changed, or there without being committed.

    Compared is what they let each caller do, and not their words. Of a table that is not there
    nothing is known: it is named. Raises NoAnswerError where none of the tables is there.
    """
    database = systems.database()
    absent = absent_tables(database)
    if len(absent) == len({policy["table"] for policy in EXPECTED["policies"]}):
        message = f"None of the tables is there that policies are committed for: {absent[0]}, …"
        raise NoAnswerError(message)
    rows = [
        {
            "Policy": " on ".join(key_of(was or should or {})[::-1]),
            "differs": _difference(was, should),
            "committed": _said(should),
            "found": _said(was),
        }
        for was, should in differing(database)
    ]
    unknown = [{"Table": table, "differs": "unknown: it is not there"} for table in absent]
    return Reading(value=len(rows), detail=[*rows, *unknown])


@probe(unit="tables")
def switched_off(systems: Systems) -> Reading:
    """Count tables without row level security, beyond those committed as known."""
    rows = [row for row in systems.database().rows(SWITCHES) if not row["row level security"]]
    unknown = unknown_policies(rows)
    detail = [
        {
            "Table": row["table"],
            "policies": row["policies"],
            "row level security": "off" if row in unknown else "off, as known",
        }
        for row in rows
    ]
    return Reading(value=len(unknown), detail=detail)


def _difference(was: Policy | None, should: Policy | None) -> str:
    if was is None:
        return "missing"
    return "not committed" if should is None else "changed"


def _said(policy: Policy | None) -> str:
    if policy is None:
        return "none"
    parts = [f"{clause} {policy[clause]}" for clause in ("using", "check") if policy[clause]]
    return f"for {policy['command'].lower()} {' '.join(parts)}"
