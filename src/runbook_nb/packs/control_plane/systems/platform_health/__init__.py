"""The platform as a whole: how much is affected, and which part of it is not well."""

from runbook_nb.packs.control_plane.systems.platform_health.probes import (
    connections_used,
    database_answers,
    error_share,
    heartbeat_age,
    impaired_since_deploy,
    interface_api,
    leak_signals,
    lost_rows,
    mission_success,
    missions_affected,
    severity,
    telemetry_age,
    tenants_affected,
    user_interface,
)

__all__ = [
    "connections_used",
    "database_answers",
    "error_share",
    "heartbeat_age",
    "impaired_since_deploy",
    "interface_api",
    "leak_signals",
    "lost_rows",
    "mission_success",
    "missions_affected",
    "severity",
    "telemetry_age",
    "tenants_affected",
    "user_interface",
]
