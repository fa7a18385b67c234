"""What keeps the runbooks' own reader from seeing: row security, or a missing grant."""

from typing import Final

from runbook_nb.packs.control_plane.lab.faults.journal import statement_fault

_CUT: Final = "missions, telemetry_events, composio_audit_events, mission_connections"

FAULTS: Final = (
    statement_fault(
        "reader_under_row_security",
        "A clean-up of roles took BYPASSRLS from the runbooks' reader: it sees no rows",
        inject=["alter role runbook_reader nobypassrls"],
        heal=["alter role runbook_reader bypassrls"],
    ),
    statement_fault(
        "reader_without_grant",
        "A clean-up of grants took SELECT on four tables from the runbooks' reader",
        inject=[f"revoke select on {_CUT} from runbook_reader"],
        heal=[f"grant select on {_CUT} to runbook_reader"],
    ),
)
