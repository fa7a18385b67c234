"""One run of a runbook within an incident, and its verbs."""

from runbook_nb.incident.verbs import Incident, RunStopped

__all__ = ["Incident", "RunStopped"]
