"""What the event of every kind says, before it becomes text or HTML."""

from runbook_nb.incident.cards import describe_incident, describe_steps
from runbook_nb.incident.cards.description import face

__all__ = ["describe_incident", "describe_steps", "face"]
