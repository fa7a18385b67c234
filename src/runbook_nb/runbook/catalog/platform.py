"""The runbooks that the platform knows, written yet or not, in their six groups."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class KnownRunbook:
    """A runbook the platform needs: its name, its group and the failure it answers."""

    name: str
    group: str
    scenario: str


_NAMES: Final[dict[str, dict[str, str]]] = {
    "Critical Incident Response": {
        "incident_response": "Something is wrong, and no single runbook is named yet.",
        "rollback_procedure": "A release of the UI, the agent or the database must be undone.",
        "data_breach_response": "Tenant data or credentials may have been seen by others.",
    },
    "Authentication & Authorization": {
        "oauth_token_rotation": "Connections expire, or credentials must be rotated.",
        "oauth_connection_failure": "A customer cannot finish connecting a toolkit.",
        "rls_policy_debugging": "Users miss rows that are theirs, or see those of others.",
    },
    "Execution & Performance": {
        "heartbeat_failure_recovery": "The SSE heartbeat is late or missing, and streams freeze.",
        "inspection_timeout": "The inspection in Prepare does not end in its time.",
        "undo_failure_handling": "An undo plan fails, cannot run, or came too late.",
        "rate_limit_mitigation": "Composio or a provider behind it throttles.",
    },
    "Data & Storage": {
        "supabase_backup_restore": "Data is lost or corrupt, or backups are due for a test.",
        "evidence_bundle_corruption": "An artifact or bundle is missing or fails its hash.",
        "library_embedding_degradation": "Library search is slow, or finds little or nothing.",
    },
    "Partner Integrations": {
        "composio_api_outage": "Composio is down, or most of its calls fail.",
        "copilotkit_session_recovery": "Chat or workspace state is lost or differs between tabs.",
        "gemini_api_quota_exhaustion": "Gemini refuses or throttles.",
    },
    "Monitoring & Alerting": {
        "telemetry_ingestion_stall": "Events stop arriving, or arrive incomplete.",
        "dashboard_metric_anomalies": "A dashboard's figure jumps, drops or contradicts another.",
        "alert_fatigue_reduction": "Alerts are too many, too noisy, or missed.",
    },
}

GROUPS: Final = tuple(_NAMES)
KNOWN: Final = tuple(
    KnownRunbook(name=name, group=group, scenario=scenario)
    for group, names in _NAMES.items()
    for name, scenario in names.items()
)
