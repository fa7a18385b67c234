"""The platform's own scheduled jobs."""

from typing import Final

# Each is named as the function that it calls: refresh of the views, two purges, embeddings.
OWN_JOBS: Final = (
    "refresh_analytics_views",
    "cleanup_telemetry_events",
    "cleanup_mission_sessions",
    "refresh_library_embeddings",
)
