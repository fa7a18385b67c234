"""The face of every kind of event: what it says, before it becomes text or HTML."""

from runbook_nb.incident.cards.description import face

__all__ = ["face", "incident_faces", "step_faces"]
