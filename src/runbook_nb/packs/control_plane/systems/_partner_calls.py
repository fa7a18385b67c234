"""The newest calls of each tenant and toolkit, and what their failures mean."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

NEWEST: Final = 10
# The platform opens a toolkit's circuit after three failures in a row; fewer calls tell nothing.
FEWEST: Final = 3
# Alert table: a call of Composio's takes less than 5 s; an action that always takes longer may.
SLOW_MS: Final = 5_000
_TIMES_USUAL: Final = 3

# An action's usual time is what nine in ten of its calls of two weeks took: exports may be long.
# A parked mission tries nothing, and what failed before it went on again is over.
CALLS: Final = """
with placed as (
    select a.toolkit, a.action, a.tenant_id, a.mission_id, a.status, a.error_code, a.latency_ms,
           a.occurred_at, a.outcome, a.retries,
           a.occurred_at > clock_timestamp() + interval '30 seconds' as ahead,
           row_number() over (
               partition by a.tenant_id, a.toolkit order by a.occurred_at desc
           ) as place
    from composio_audit_events a
    where a.occurred_at > now() - %(window)s
      and not exists (
          select from mission_metadata parked
          where parked.mission_id = a.mission_id
            and (parked.metadata_key = 'composio_parking'
                 or (parked.metadata_key = 'composio_resumed'
                     and a.occurred_at
                         <= (parked.metadata_value ->> 'resumed_at')::timestamptz))
      )
),
usual as (
    select action, percentile_cont(0.9) within group (order by latency_ms) as latency_ms
    from composio_audit_events
    where status = 'success'
      and occurred_at between now() - interval '14 days' and now() - %(window)s
    group by action
)
select placed.toolkit, placed.action, placed.tenant_id::text, t.slug as tenant,
       placed.mission_id::text, placed.status, placed.error_code, placed.latency_ms,
       placed.occurred_at, placed.ahead, placed.outcome, placed.retries,
       usual.latency_ms as usual_ms
from placed
left join usual using (action)
left join tenants t on t.id = placed.tenant_id
where place <= %(newest)s
order by placed.occurred_at desc
"""
_UNSENT: Final = frozenset(
    {"gaierror", "SSLError", "SSLCertVerificationError", "ConnectionRefusedError", "OSError"}
)
_LOST: Final = frozenset(
    {
        *("TimeoutError", "RemoteDisconnected", "IncompleteRead", "BadStatusLine"),
        *("ConnectionResetError", "BrokenPipeError", "JSONDecodeError", "UPSTREAM_TIMEOUT"),
    }
)
PARTNER: Final = "partner"
UNSENT: Final = "never left"


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One tenant's newest calls to one toolkit, the newest first."""

    tenant_id: str
    tenant: str
    toolkit: str
    calls: Sequence[dict[str, Any]]

    def failed(self, kind: str = PARTNER) -> list[dict[str, Any]]:
        """Return the calls that failed for this reason."""
        return [call for call in self.calls if kind_of(call) == kind]

    @property
    def failing(self) -> bool:
        """Tell whether three of its newest ten calls failed at the partner."""
        return len(self.failed()) >= FEWEST

    def as_json(self) -> dict[str, Any]:
        """Return what a responder has to see of it."""
        failed = self.failed()
        codes = sorted({call["error_code"] or "slow" for call in failed})
        return {
            "tenant": self.tenant,
            "toolkit": self.toolkit,
            "newest calls": len(self.calls),
            "failed": len(failed),
            "codes": codes,
            "missions": sorted({call["mission_id"] for call in failed if call["mission_id"]}),
        }


def kind_of(call: dict[str, Any]) -> str:
    """Say whose failure a call was; empty for one that worked in its time."""
    code = call["error_code"] or ""
    if call["status"] == "success":
        return PARTNER if _slow(call) else ""
    if call["status"] == "rate_limit" or code.startswith("RATE_LIMIT"):
        return "limit"
    if call["status"] == "auth_expired" or code in ("HTTP_401", "HTTP_403"):
        return "login"
    if code in _UNSENT:
        return UNSENT
    return PARTNER if code in _LOST or code.startswith("HTTP_5") else "tool"


def pairs(systems: Systems, *, window: timedelta) -> list[Pair]:
    """Return all pairs that were called often enough to be judged.

    Raises NoAnswerError without one, or where calls are dated in the future.
    """
    rows = systems.database().rows(CALLS, window=window, newest=NEWEST)
    if ahead := sum(bool(row["ahead"]) for row in rows):
        message = f"{ahead} calls are dated in the future: a clock is off, and no age is right."
        raise NoAnswerError(message)
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["tenant_id"] or "", row["toolkit"] or ""].append(row)
    judged = [
        Pair(tenant_id=tenant, tenant=calls[0]["tenant"] or "none", toolkit=toolkit, calls=calls)
        for (tenant, toolkit), calls in sorted(found.items())
        if len(calls) >= FEWEST
    ]
    if not judged:
        message = f"No tenant called a toolkit {FEWEST} times in the window; nothing can be told."
        raise NoAnswerError(message)
    return judged


def began_at(failing: Iterable[Pair]) -> datetime | None:
    """Return when the first of the newest failures was; None without one."""
    moments = [call["occurred_at"] for pair in failing for call in pair.failed()]
    return min(moments, default=None)


def since(found: Sequence[Pair], at: datetime) -> list[Pair]:
    """Return the pairs that were called since then."""
    return [pair for pair in found if pair.calls[0]["occurred_at"] >= at]


def toolkits(found: Iterable[Pair]) -> set[str]:
    """Return the toolkits of pairs."""
    return {pair.toolkit for pair in found}


def mostly_failing(called: Sequence[Pair]) -> set[str]:
    """Return the toolkits that fail for more than half of the tenants that call them."""
    return {
        toolkit
        for toolkit in toolkits(called)
        if 2 * sum(pair.failing for pair in called if pair.toolkit == toolkit)
        > sum(pair.toolkit == toolkit for pair in called)
    }


def _slow(call: dict[str, Any]) -> bool:
    """Tell whether a call took too long, for a call of Composio's and for itself."""
    took, usual = call["latency_ms"] or 0, call["usual_ms"]
    return usual is not None and took >= max(SLOW_MS, _TIMES_USUAL * float(usual))
