"""One run of a runbook within an incident, and its verbs."""

from runbook_nb.incident.stopping import RunStopped
from runbook_nb.incident.verbs import Incident

__all__ = ["Incident", "RunStopped"]
