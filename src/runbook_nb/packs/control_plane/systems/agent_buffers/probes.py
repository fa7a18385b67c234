"""What is read of the agent's buffers."""

from runbook_nb.packs.control_plane.systems.agent_buffers._buffers import buffers
from runbook_nb.probes.calls import Reading, Systems, probe


@probe(unit="machines")
def degraded(systems: Systems) -> Reading:
    """Count machines that hold events back since one write of theirs was refused."""
    rows = buffers(systems)
    return Reading(value=sum(bool(row["degraded"]) for row in rows), detail=rows)


@probe(unit="machines")
def not_allowed(systems: Systems) -> Reading:
    """Count machines that hold every event back since SUPABASE_ALLOW_WRITES is not true there."""
    rows = buffers(systems)
    return Reading(value=sum(not row["writes_allowed"] for row in rows), detail=rows)
