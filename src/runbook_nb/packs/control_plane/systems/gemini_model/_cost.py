"""What the agent's turns cost with one model and with another."""

from typing import Any, Final

from runbook_nb.packs.control_plane.systems._gemini_models import fallback, usual
from runbook_nb.probes.calls import Systems

# What agents write of a turn stands beside its tool call.
USED: Final = """
select coalesce(sum((context ->> 'prompt_tokens')::numeric), 0)::float as sent,
       coalesce(sum((context ->> 'output_tokens')::numeric), 0)::float as written,
       count(*) as turns
from telemetry_events
where event_type = 'composio_tool_call'
  and context ? 'prompt_tokens'
  and created_at > now() - interval '1 day'
"""
_MILLION: Final = 1_000_000


def cost(systems: Systems) -> dict[str, Any]:
    """Return what the turns of the last day cost with each of the two models, in USD.

    The prices are those of the settings: USD for a million tokens sent and written, as `0.3/2.5`.
    """
    (used,) = systems.database().rows(USED)
    priced = ((usual(systems), "model_price"), (fallback(systems), "fallback_price"))
    return {
        "turns in a day": used["turns"],
        "tokens sent": used["sent"],
        "tokens written": used["written"],
        "USD a day": {model: _usd(systems.setting("gemini", at), used) for model, at in priced},
        "USD for a million tokens sent/written": {
            model: systems.setting("gemini", at) for model, at in priced
        },
    }


def _usd(price: str, used: dict[str, Any]) -> float:
    sent, _, written = price.partition("/")
    usd: float = float(sent) * used["sent"] + float(written) * used["written"]
    return round(usd / _MILLION, 4)
