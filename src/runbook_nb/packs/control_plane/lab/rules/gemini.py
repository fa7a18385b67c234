"""Alert rules for the model, with the thresholds of the platform."""

from typing import Any, Final

from runbook_nb.packs.control_plane.lab.emulators.gemini_models import USUAL
from runbook_nb.packs.control_plane.lab.rules.machines import agent_variables
from runbook_nb.packs.control_plane.lab.rules.rule import AlertRule, sql
from runbook_nb.packs.control_plane.lab.state import LabState

MODEL: Final = "GEMINI_MODEL"
REFUSED: Final = """
select exists (
    select from telemetry_events
    where event_type = 'model_call_error' and created_at > now() - interval '15 min')
"""
# What a model refused before the agent left it can be started again.
STOPPED: Final = """
select count(*) >= 3
from (select distinct on (mission_id) event_type, context
      from telemetry_events
      where created_at > now() - interval '15 min'
        and (event_type = 'model_call_error'
             or (event_type = 'composio_tool_call' and context ? 'model'))
      order by mission_id, created_at desc) as turn
where event_type = 'model_call_error'
  and context ->> 'error_code' <> 'SAFETY'
  and context ->> 'model' = any(%s)
"""


def _models(lab: LabState) -> set[str]:
    """Return the models that the agent's machines use; none where Fly does not say."""
    return {variables.get(MODEL, USUAL) for variables in agent_variables(lab)}


def _refuses(lab: LabState, connection: Any) -> bool:
    """Tell whether the model in use refused the newest turn of three missions."""
    return bool(connection.execute(STOPPED, ([*_models(lab)],)).fetchone()[0])


def _fallback_left(lab: LabState, connection: Any) -> bool:
    """Tell whether a machine uses another model although nothing was refused for a while."""
    away = _models(lab) - {USUAL}
    return bool(away) and not connection.execute(REFUSED).fetchone()[0]


RULES: Final = (
    AlertRule(
        name="ModelRefusesMissions",
        severity="critical",
        summary="The model in use refused the newest turn of three missions or more.",
        fires=_refuses,
        service="gemini",
    ),
    AlertRule(
        name="ModelHoldsBackTexts",
        severity="critical",
        summary="The filter for safety held back texts of two tenants or more within 15 minutes.",
        fires=sql("""
            select count(distinct tenant_id) >= 2
            from telemetry_events
            where event_type = 'model_call_error' and context ->> 'error_code' = 'SAFETY'
              and created_at > now() - interval '15 min'
            """),
        service="gemini",
    ),
    AlertRule(
        name="FallbackModelLeft",
        severity="warning",
        summary="The agent uses the model that stands in, and nothing was refused for 15 minutes.",
        fires=_fallback_left,
        service="gemini",
    ),
)
