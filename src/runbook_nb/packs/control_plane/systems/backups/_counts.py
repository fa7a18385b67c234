"""The rows of every table, counted."""

from runbook_nb.packs.control_plane.systems.backups._queries import COUNTS
from runbook_nb.probes.calls import Systems


def counted_rows(systems: Systems) -> dict[str, int]:
    """Count the rows of every table; the statistics would lag behind a loss."""
    questions = [row["question"] for row in systems.database().rows(COUNTS)]
    rows = systems.database().rows(" union all ".join(questions))
    return {row["name"]: int(row["rows"]) for row in rows}
