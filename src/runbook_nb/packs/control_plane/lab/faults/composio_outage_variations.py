"""Composio's outages in other shapes, and what only looks like one."""

from datetime import timedelta
from typing import Final

from runbook_nb.packs.control_plane.lab.faults.composio_hands import (
    forget_calls,
    heal_composio,
    heal_partner,
    leave_calls,
    park_all,
    say_on_page,
    tenants,
)
from runbook_nb.packs.control_plane.lab.faults.fault import Fault
from runbook_nb.packs.control_plane.lab.faults.oauth_partner import API, break_composio, provide
from runbook_nb.packs.control_plane.lab.faults.outside import superuser
from runbook_nb.packs.control_plane.lab.state import LabState

_JSON: Final = {"content-type": "application/json"}
_ONE_TOOLKIT: Final = (
    '{"items": [{"slug": "warehouse"}], "next_cursor": null, "total_items": 1, "total_pages": 1, '
    '"current_page": 1}'
)
_SEE: Final = "ALTER ROLE runbook_reader BYPASSRLS"
_BLIND: Final = "ALTER ROLE runbook_reader NOBYPASSRLS"
_QUIET: Final = """
UPDATE composio_audit_events
   SET occurred_at = occurred_at - interval '3 h', outcome = outcome || '{"quiet": true}'
 WHERE occurred_at > now() - interval '2 h';
UPDATE telemetry_events
   SET created_at = created_at - interval '3 h', context = context || '{"quiet": true}'
 WHERE event_type LIKE 'composio_tool_call%' AND created_at > now() - interval '2 h'
"""
_LOUD: Final = """
UPDATE composio_audit_events
   SET occurred_at = occurred_at + interval '3 h', outcome = outcome - 'quiet'
 WHERE outcome ? 'quiet';
UPDATE telemetry_events
   SET created_at = created_at + interval '3 h', context = context - 'quiet'
 WHERE context ? 'quiet'
"""
_BEFORE: Final = timedelta(minutes=3)
_SHORT: Final = timedelta(seconds=3)


def _work(
    lab: LabState,
    *,
    calls: int,
    ago: timedelta = timedelta(0),
    toolkit: str | None = None,
    action: str | None = None,
    latency_ms: int = 600,
) -> None:
    """Leave calls that worked."""
    leave_calls(
        lab,
        calls=calls,
        status="success",
        code=None,
        http_status=200,
        ago=ago,
        gap=_SHORT,
        toolkit=toolkit,
        action=action,
        latency_ms=latency_ms,
    )


def _slow(lab: LabState) -> None:
    break_composio(lab, delay_s=0.55)
    _work(lab, calls=3, ago=timedelta(hours=2), action="CALL_OF_OURS")
    _work(lab, calls=4, action="CALL_OF_OURS", latency_ms=14_000)


def _every_third(lab: LabState) -> None:
    leave_calls(lab, calls=9, every=3, code="HTTP_503", gap=_SHORT)


def _young(lab: LabState) -> None:
    break_composio(lab, status=503)


def _cut(lab: LabState) -> None:
    break_composio(lab, cut=True)
    leave_calls(lab, code="IncompleteRead", http_status=0)


def _blind(lab: LabState) -> None:
    break_composio(lab, status=503)
    with superuser(lab) as connection:
        connection.execute(_BLIND)


def _other_json(lab: LabState) -> None:
    break_composio(lab, status=200, headers=_JSON, body='{"status": "ok"}')
    leave_calls(lab, code="JSONDecodeError", http_status=0)


def _nothing_waits(lab: LabState) -> None:
    park_all(lab)


def _still_away(lab: LabState) -> None:
    park_all(lab)
    break_composio(lab, status=503)


def _failing(lab: LabState, *toolkits: str, tenant: str | None = None, code: str) -> None:
    """Leave calls that work of all, and younger ones that fail of these toolkits."""
    _work(lab, calls=3, ago=_BEFORE)
    for toolkit in toolkits:
        leave_calls(lab, toolkit=toolkit, tenant=tenant, code=code, ago=_BEFORE, gap=_SHORT)
    for toolkit in ("warehouse", "github", "slack"):
        _work(lab, calls=1, toolkit=toolkit)


def _one_tenant(lab: LabState) -> None:
    with superuser(lab) as connection:
        first = tenants(connection)[0]
    _failing(lab, "warehouse", tenant=first, code="HTTP_502")


def _answers_lost(lab: LabState) -> None:
    _failing(lab, "zendesk", code="RemoteDisconnected")


def _two_toolkits(lab: LabState) -> None:
    _failing(lab, "zendesk", "googledrive", code="HTTP_500")


def _forbidden(lab: LabState) -> None:
    break_composio(lab, status=403, headers=_JSON, body='{"error": {"message": "suspended"}}')


def _bare(lab: LabState) -> None:
    provide(lab, others=2_001, bare=True)


def _nearly(lab: LabState) -> None:
    provide(lab, others=1_930)


def _in_part(lab: LabState) -> None:
    break_composio(lab, path=f"{API}/toolkits", status=200, headers=_JSON, body=_ONE_TOOLKIT)


def _untrusted(lab: LabState) -> None:
    leave_calls(lab, code="SSLCertVerificationError", http_status=0)


def _nameless(lab: LabState) -> None:
    leave_calls(lab, code="gaierror", http_status=0, calls=9, every=3)


def _page_says_trouble(lab: LabState) -> None:
    say_on_page(lab, {"API": "partial_outage", "Tool execution": "major_outage"})


def _over(lab: LabState) -> None:
    leave_calls(lab, calls=6, ago=timedelta(minutes=12))
    _work(lab, calls=10)


def _long_exports(lab: LabState) -> None:
    for hours, calls in ((3, 3), (0, 4)):
        _work(
            lab,
            calls=calls,
            ago=timedelta(hours=hours),
            toolkit="warehouse",
            action="WAREHOUSE_EXPORT",
            latency_ms=24_000,
        )


def _wrong_arguments(lab: LabState) -> None:
    leave_calls(lab, toolkit="zendesk", code="TOOL_FAILED", http_status=200, calls=5)


def _consents_expired(lab: LabState) -> None:
    leave_calls(lab, toolkit="slack", status="auth_expired", code="AUTH_EXPIRED", http_status=410)


def _providers_limit(lab: LabState) -> None:
    leave_calls(lab, toolkit="slack", status="rate_limit", code="RATE_LIMIT", http_status=200)


def _quiet_night(lab: LabState) -> None:
    with superuser(lab) as connection:
        connection.execute(_QUIET)


def _clock_ahead(lab: LabState) -> None:
    leave_calls(lab, ago=timedelta(minutes=-10))


def heal(lab: LabState) -> None:
    """Have all be as it was."""
    with superuser(lab) as connection:
        connection.execute(_SEE)
        connection.execute(_LOUD)
    heal_partner(lab)


def heal_all(lab: LabState) -> None:
    """Have the missions be at work again, and all be as it was."""
    heal_composio(lab)


def heal_rows(lab: LabState) -> None:
    """Forget the calls that were left."""
    with superuser(lab) as connection:
        connection.execute(_LOUD)
    forget_calls(lab)


FAULTS = tuple(
    Fault(name=name, title=title, inject=inject, heal=healed)
    for name, title, inject, healed in (
        ("composio_away.slow", "All calls succeed, far slower than ever", _slow, heal),
        ("composio_away.every_third", "Every third call fails", _every_third, heal_rows),
        ("composio_away.young", "Composio is away, and nobody has called it yet", _young, heal),
        ("composio_away.cut", "Composio cuts every answer midway", _cut, heal),
        ("composio_away.reader_blind", "The reading role sees no rows", _blind, heal),
        ("composio_page.other_json", "Another service's JSON, HTTP 200", _other_json, heal),
        (
            "composio_back.nothing_waits",
            "Missions were parked by hand",
            _nothing_waits,
            heal_all,
        ),
        (
            "composio_back.still_away",
            "Parked, and Composio is still away",
            _still_away,
            heal_all,
        ),
        ("toolkit_away.one_tenant", "One tenant's calls to a toolkit fail", _one_tenant, heal_rows),
        ("toolkit_away.answers_lost", "One toolkit's answers are lost", _answers_lost, heal_rows),
        ("toolkit_away.two_toolkits", "Two toolkits fail of seven", _two_toolkits, heal_rows),
        ("key_refused.forbidden", "Our account is suspended: HTTP 403", _forbidden, heal),
        ("limit_used_up.bare", "A proxy refuses without a word", _bare, heal),
        ("limit_used_up.nearly", "Others leave little of the limit", _nearly, heal),
        ("catalogue_empty.in_part", "The catalogue shows one toolkit", _in_part, heal),
        ("agent_elsewhere.untrusted", "Its host trusts no certificate", _untrusted, heal_rows),
        ("agent_elsewhere.nameless", "Every third name is not resolved", _nameless, heal_rows),
        ("page_says_trouble", "Composio's page tells of an outage", _page_says_trouble, heal),
        ("outage_is_over", "An outage that ended twelve minutes ago", _over, heal_rows),
        ("long_exports", "Exports that always take long", _long_exports, heal_rows),
        (
            "wrong_arguments",
            "A toolkit refuses its arguments",
            _wrong_arguments,
            heal_rows,
        ),
        ("consents_expired", "A toolkit's consents have expired", _consents_expired, heal_rows),
        ("providers_limit", "A provider holds one toolkit back", _providers_limit, heal_rows),
        ("night_without_calls", "No mission calls a tool", _quiet_night, heal_rows),
        ("clock_ahead", "Calls are dated in the future", _clock_ahead, heal_rows),
    )
)
