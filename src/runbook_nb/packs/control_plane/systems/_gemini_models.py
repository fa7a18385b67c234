"""The model that the agent uses: which it is, and which may stand in for it."""

from typing import Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._fly import machine_settings
from runbook_nb.packs.control_plane.systems._gemini import generate
from runbook_nb.packs.control_plane.systems._gemini_quotas import TIGHT, quotas_of
from runbook_nb.probes.calls import Systems

MODEL: Final = "GEMINI_MODEL"


def usual(systems: Systems) -> str:
    """Return the model that the agent uses when all is well."""
    return systems.setting("gemini", "model")


def fallback(systems: Systems) -> str:
    """Return the model that stands in for the usual one."""
    return systems.setting("gemini", "fallback_model")


def in_use(systems: Systems) -> dict[str, str]:
    """Return the model that each machine of the agent uses; raises NoAnswerError without any."""
    found = machine_settings(systems, (MODEL,))
    models = {machine: had[MODEL] or usual(systems) for machine, had in found.items()}
    if not models:
        raise NoAnswerError("The agent has no machine, so it uses no model.")
    return models


def not_ready(systems: Systems, model: str) -> str:
    """Say why the agent should not go to a model now; nothing where it answers and has room."""
    if (word := generate(systems, model)) != "ok":
        return word
    tight = [one for one in quotas_of(systems, model).values() if one.percent >= TIGHT]
    return ", ".join(f"{one.id} is used up to {one.percent:g} %" for one in tight)
