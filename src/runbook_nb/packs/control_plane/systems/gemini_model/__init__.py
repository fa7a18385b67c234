"""The agent's model: whether it answers, what could stand in for it, and the way there and back."""

from runbook_nb.packs.control_plane.systems.gemini_model.actions import (
    fail_over,
    return_to_usual,
)
from runbook_nb.packs.control_plane.systems.gemini_model.probes import (
    answers,
    fallback_answers,
    left_behind,
)

__all__ = ["answers", "fail_over", "fallback_answers", "left_behind", "return_to_usual"]
