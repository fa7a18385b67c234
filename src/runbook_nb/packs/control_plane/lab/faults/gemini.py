"""Faults of the model: its quotas by minute and day, its capacity, its project, its filter."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.agent_gemini import PREAMBLE
from runbook_nb.packs.control_plane.lab.emulators.gemini_models import FALLBACK, USUAL
from runbook_nb.packs.control_plane.lab.emulators.gemini_quotas import GENERATE, NAMES
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.gemini_hands import (
    heal_gemini,
    leave_refusals,
    leave_turns,
    live_tenants,
    meet_refusals,
    project,
)
from runbook_nb.packs.control_plane.lab.faults.limits import configure
from runbook_nb.packs.control_plane.lab.state import LabState

_TOKENS_ID: Final = NAMES["generate"]["tokens_a_minute"][0]


def fill_minute(lab: LabState, *, model: str = USUAL) -> None:
    """Have another environment of the project make all requests of each minute."""
    project(lab, others={model: {"requests_a_minute": GENERATE["requests_a_minute"]}})
    meet_refusals(lab)


def use_up_day(lab: LabState) -> None:
    """Have all requests of the day be made."""
    project(lab, used_today={USUAL: GENERATE["requests_a_day"]})
    meet_refusals(lab)


def overload(lab: LabState) -> None:
    """Have Google have no capacity for the agent's model, which is nobody's quota."""
    project(lab, overload={USUAL: 1})
    meet_refusals(lab)


def eat_tokens(
    lab: LabState, *, priorities: tuple[str, ...] = ("normal", "low"), missions: int = 1
) -> None:
    """Have one mission send most of the tokens of each minute, and others be refused."""
    project(lab, others={USUAL: {"tokens_a_minute": GENERATE["tokens_a_minute"]}})
    leave_turns(lab, missions=missions, turns=12, tokens=80_000, priorities=priorities)
    leave_turns(lab, missions=8, ago=timedelta(minutes=2))
    leave_refusals(lab, quota=_TOKENS_ID, skip=missions)


def close_billing(lab: LabState) -> None:
    """Have the project's billing account be closed."""
    project(lab, billing=False)
    meet_refusals(lab)


def hold_back(lab: LabState) -> None:
    """Have the filter for safety hold back what the planner says first in each turn."""
    project(lab, blocked_words=[PREAMBLE])
    for tenant in live_tenants(lab)[:3]:
        block(lab, tenant=tenant)
    meet_refusals(lab)


def stay_on_fallback(lab: LabState, *, model: str = FALLBACK) -> None:
    """Leave the agent on the model that stood in, long after the usual one is well."""
    configure(lab, GEMINI_MODEL=model)


def block(lab: LabState, *, tenant: str) -> None:
    """Leave texts of one tenant that the filter held back."""
    leave_refusals(lab, code="SAFETY", http_status=200, tenant=tenant, missions=2)


def lower_quota(lab: LabState, *, quota: str = "requests_a_minute", limit: int = 150) -> None:
    """Have Google lower a quota of the agent's model; nobody feels it yet."""
    project(lab, limits={USUAL: {quota: limit}})


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal_gemini)
    for name, title, inject in (
        ("model_minute_full", "Others make all requests of a minute", fill_minute),
        ("model_day_used", "The requests of the day are made", use_up_day),
        ("model_overloaded", "The model has no capacity; 503", overload),
        ("model_tokens_eaten", "One mission sends most tokens", eat_tokens),
        ("model_billing_closed", "The project's billing is closed", close_billing),
        ("model_holds_back", "The filter holds the planner's words back", hold_back),
        ("model_fallback_left", "The agent stays on the stand-in", stay_on_fallback),
        ("model_quota_lowered", "Google lowered a quota", lower_quota),
    )
)
