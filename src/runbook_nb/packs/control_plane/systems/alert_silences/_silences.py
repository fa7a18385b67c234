"""Which silences hide too much, or for too long."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from runbook_nb.packs.control_plane.systems._alerting.rules import (
    Silence,
    loaded_rules,
    silences,
)
from runbook_nb.probes.calls import Systems


def lasting_silences(systems: Systems, longest: timedelta) -> list[tuple[Silence, list[str]]]:
    """Return the silences that last too long, or hide data or security, with what they hide."""
    rules = loaded_rules(systems)
    found = []
    for one in silences(systems):
        hidden = [rule for rule in rules if one.hides(rule)]
        if hidden and (one.length > longest or any(rule.vital for rule in hidden)):
            found.append((one, [rule.name for rule in hidden]))
    return found


def told(found: Sequence[tuple[Silence, list[str]]]) -> list[dict[str, Any]]:
    """Return silences for the eye."""
    return [
        {
            "id": one.id,
            "hides": hidden,
            "from": f"{one.begins:%Y-%m-%d %H:%M} UTC",
            "to": f"{one.ends:%Y-%m-%d %H:%M} UTC",
            "by": one.by,
            "comment": one.comment,
        }
        for one, hidden in found
    ]
