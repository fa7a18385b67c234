"""Other shapes of the faults of the model, and what only looks like them."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.emulators.gemini_models import FALLBACK, USUAL
from runbook_nb.packs.control_plane.lab.emulators.gemini_quotas import GENERATE, NAMES
from runbook_nb.packs.control_plane.lab.faults.composio_hands import forget_calls
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.gemini import (
    block,
    eat_tokens,
    lower_quota,
    stay_on_fallback,
)
from runbook_nb.packs.control_plane.lab.faults.gemini_hands import (
    heal_gemini,
    leave_refusals,
    leave_turns,
    live_tenants,
    meet_refusals,
    project,
)
from runbook_nb.packs.control_plane.lab.faults.limits import refuse
from runbook_nb.packs.control_plane.lab.state import LabState

_EMBEDDING: Final = "gemini-embedding-001"
_MINUTE_ID: Final = NAMES["generate"]["requests_a_minute"][0]
_DAY: Final = GENERATE["requests_a_day"]


def _minute_nearly_full(lab: LabState) -> None:
    project(lab, others={USUAL: {"requests_a_minute": 900}})


def _every_model_full(lab: LabState) -> None:
    full = {"requests_a_minute": GENERATE["requests_a_minute"]}
    project(lab, others={USUAL: full, FALLBACK: full})
    meet_refusals(lab)


def _tokens_of_others(lab: LabState) -> None:
    project(lab, others={USUAL: {"tokens_a_minute": GENERATE["tokens_a_minute"]}})
    leave_turns(lab, missions=8, ago=timedelta(minutes=2))
    meet_refusals(lab)


def _day_nearly_used(lab: LabState) -> None:
    project(lab, used_today={USUAL: 9_000})


def _day_lowered(lab: LabState) -> None:
    project(lab, limits={USUAL: {"requests_a_day": 250}}, used_today={USUAL: 250})
    meet_refusals(lab)


def _retired(lab: LabState) -> None:
    project(lab, retire=[USUAL])
    meet_refusals(lab)


def _eaten_by_urgent(lab: LabState) -> None:
    eat_tokens(lab, priorities=("urgent", "high"))


def _blocked_for_three(lab: LabState) -> None:
    for tenant in live_tenants(lab)[:3]:
        block(lab, tenant=tenant)


def _burst(lab: LabState) -> None:
    leave_refusals(lab, quota=_MINUTE_ID, missions=6, turns=5, ago=timedelta(minutes=5))
    leave_turns(lab, missions=6, turns=3, ago=timedelta(minutes=2))


def _retried(lab: LabState) -> None:
    leave_refusals(lab, code="UNAVAILABLE", http_status=503, missions=1, ago=timedelta(minutes=1))
    leave_turns(lab, missions=1)


def _one_tenant_blocked(lab: LabState) -> None:
    block(lab, tenant=live_tenants(lab)[0])


def _embed_at_night(lab: LabState) -> None:
    project(lab, others={_EMBEDDING: {"requests_a_minute": 2_990, "tokens_a_minute": 990_000}})


def _tool_limited(lab: LabState) -> None:
    refuse(lab, http_status=429)


def _busy_within(lab: LabState) -> None:
    leave_turns(lab, missions=1, turns=12, tokens=40_000)
    leave_turns(lab, missions=8, ago=timedelta(minutes=2))


def _day_of_both(lab: LabState) -> None:
    project(lab, used_today={USUAL: _DAY, FALLBACK: _DAY})
    meet_refusals(lab)


def _overloaded_unmet(lab: LabState) -> None:
    project(lab, overload={USUAL: 1})


def _eaten_by_two(lab: LabState) -> None:
    eat_tokens(lab, missions=2)


def _nearly_eaten(lab: LabState) -> None:
    project(lab, others={USUAL: {"tokens_a_minute": 900_000}})
    leave_turns(lab, missions=1, turns=12, tokens=70_000, priorities=("normal", "low"))
    leave_turns(lab, missions=8, ago=timedelta(minutes=2))


def _closed_unmet(lab: LabState) -> None:
    project(lab, billing=False)


def _fallback_refuses(lab: LabState) -> None:
    stay_on_fallback(lab)
    project(lab, used_today={FALLBACK: _DAY})


def _on_a_third(lab: LabState) -> None:
    stay_on_fallback(lab, model="gemini-2.5-pro")


def _fallback_right(lab: LabState) -> None:
    stay_on_fallback(lab)
    project(lab, used_today={USUAL: _DAY})


def _tokens_lowered(lab: LabState) -> None:
    lower_quota(lab, quota="tokens_a_minute", limit=250_000)


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=heal)
    for name, title, inject, heal in (
        ("model_minute_full.near", "Nine tenths of the minute", _minute_nearly_full, heal_gemini),
        ("model_minute_full.all_models", "No model has room", _every_model_full, heal_gemini),
        ("model_minute_full.tokens", "Others send all tokens", _tokens_of_others, heal_gemini),
        ("model_day_used.near", "Nine tenths of the day", _day_nearly_used, heal_gemini),
        ("model_day_used.lowered", "The day's quota was lowered", _day_lowered, heal_gemini),
        ("model_day_used.both", "The day of both models is used up", _day_of_both, heal_gemini),
        ("model_overloaded.retired", "The model is not served any more", _retired, heal_gemini),
        ("model_overloaded.unmet", "No mission has met it yet", _overloaded_unmet, heal_gemini),
        ("model_tokens_eaten.urgent", "That mission is urgent", _eaten_by_urgent, heal_gemini),
        ("model_tokens_eaten.two", "Two missions send half each", _eaten_by_two, heal_gemini),
        ("model_tokens_eaten.near", "Nothing is refused yet", _nearly_eaten, heal_gemini),
        ("model_billing_closed.unmet", "No mission has met it yet", _closed_unmet, heal_gemini),
        (
            "model_holds_back.tenants",
            "Texts of three",
            _blocked_for_three,
            heal_gemini,
        ),
        ("model_fallback_left.refuses", "The stand-in refuses", _fallback_refuses, heal_gemini),
        ("model_fallback_left.third", "The agent is on a third model", _on_a_third, heal_gemini),
        ("model_quota_lowered.tokens", "Fewer tokens a minute", _tokens_lowered, heal_gemini),
        ("model_burst_over", "A burst of refusals is over", _burst, heal_gemini),
        ("model_retry_worked", "One refusal, and a retry that worked", _retried, heal_gemini),
        ("model_one_tenant_blocked", "One tenant is held back", _one_tenant_blocked, heal_gemini),
        ("model_embeds_at_night", "A batch of embeddings at night", _embed_at_night, heal_gemini),
        ("model_tool_limited", "Composio throttles, the model not", _tool_limited, forget_calls),
        ("model_busy_within", "One mission sends a lot in peace", _busy_within, heal_gemini),
        ("model_fallback_right", "The stand-in is still needed", _fallback_right, heal_gemini),
    )
)
