"""What the event of every kind says, before it becomes text or HTML."""

from runbook_nb.incident.cards import describe_incident, describe_steps
from runbook_nb.incident.cards.description import (
    agreed_by,
    face,
    named_approver,
    proven_name,
    says_to_be,
)

__all__ = [
    "agreed_by",
    "describe_incident",
    "describe_steps",
    "face",
    "named_approver",
    "proven_name",
    "says_to_be",
]
