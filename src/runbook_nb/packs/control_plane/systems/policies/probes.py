"""What is read of the live policies and switches."""

from runbook_nb.packs.control_plane.systems.policies._policies import (
    SWITCHES,
    Policy,
    differing,
    key_of,
    unknown_policies,
)
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="policies")
def drift(systems: Systems) -> Reading:
    """Count policies that are missing, changed, or there without being committed."""
    rows = [
        {
            "Policy": " on ".join(key_of(was or should or {})[::-1]),
            "differs": _difference(was, should),
            "committed": _said(should),
            "found": _said(was),
        }
        for was, should in differing(systems.database())
    ]
    return Reading(value=len(rows), detail=rows)


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
