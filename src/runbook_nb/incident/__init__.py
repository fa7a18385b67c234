"""One run of a runbook within an incident, and its verbs."""

from runbook_nb.incident.incident import Incident
from runbook_nb.incident.stop import RunStopped

__all__ = ["Incident", "RunStopped"]
