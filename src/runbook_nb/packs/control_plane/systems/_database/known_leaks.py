"""The views that the platform's schema was made with, and that show every tenant's rows."""

from typing import Final

KNOWN_LEAKS: Final = (
    "adoption_funnel_mv",
    "agent_performance_mv",
    "executive_summary_mv",
    "governance_insights_mv",
    "operations_health_mv",
    "mission_readiness",
    "mission_stage_progress",
)
