"""What is read of links on their way."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._composio_lists import listed
from runbook_nb.packs.control_plane.systems._database.row_updates import triggers_without_column
from runbook_nb.packs.control_plane.systems.connect_links._attempts import (
    Attempt,
    Cause,
    attempts,
    caused_by,
    require_told,
    wrong,
)
from runbook_nb.packs.control_plane.systems.connect_links._configs import scopes_of
from runbook_nb.packs.control_plane.systems.connect_links._queries import RATES, RECORDED
from runbook_nb.probes.calls import Reading, Systems, probe
from runbook_nb.timeline.events import Impact, ImpactFigure

CALLBACK: Final = "/api/composio/connect"
# Fewer requests than this tell nothing of a rate, and fewer failures may be people's own doing.
REQUESTS: Final = 5
FAILURES: Final = 3
# Alert table: more than 5 % of connections failing is high; three times one's own usual is news.
HIGH_PERCENT: Final = 5.0
TIMES_USUAL: Final = 3


@probe(unit="%", timeout_s=15)
def failure_rate(systems: Systems, *, window: timedelta) -> Reading:
    """Return the share of failed connections of the toolkit or tenant that does worst, in percent.

    Only who has at least 5 requests and 3 failures, and does worse than three times the own rate
    of the 28 days before, counts; else 0. Raises NoAnswerError where nobody has 5 requests.
    """
    groups = [_rated(row) for row in systems.database().rows(RATES, window=window)]
    if not any(group["requests"] >= REQUESTS for group in groups):
        message = f"No toolkit and no tenant has {REQUESTS} requests in the window."
        raise NoAnswerError(message)
    worse = [group for group in groups if group["worse than usual"]]
    worst = max(worse, key=lambda group: float(group["percent"]), default=None)
    value = float(worst["percent"]) if worst else 0.0
    return Reading(value=value, detail=worse or groups[:10], impact=_impact(worst))


@probe(unit="auth configs", timeout_s=15)
def wrong_configs(systems: Systems, *, window: timedelta) -> Reading:
    """Count the auth configs with which customers tried in vain since they were changed."""
    found = wrong(systems, window=window)
    return Reading(value=len(found), detail=[one.shown() for one in found])


@probe(unit="links", timeout_s=15)
def never_made(systems: Systems, *, window: timedelta) -> Reading:
    """Count toolkits that missions chose 2 minutes ago or earlier and have no link for."""
    return _counted(caused_by(systems, Cause.NEVER_MADE, window=window))


@probe(unit="links", timeout_s=15)
def left_open(systems: Systems, *, window: timedelta) -> Reading:
    """Count links that nobody followed for 30 minutes; of an older auth config, for 10."""
    return _counted(caused_by(systems, Cause.LEFT, window=window))


@probe(unit="links", timeout_s=15)
def blocked_popups(systems: Systems, *, window: timedelta) -> Reading:
    """Count links whose window a browser did not open, as the browsers told.

    Raises NoAnswerError when links were made and no event of them arrived.
    """
    require_told(systems, window=window)
    return _counted(caused_by(systems, Cause.POPUP, window=window))


@probe(unit="links", timeout_s=15)
def state_mismatches(systems: Systems, *, window: timedelta) -> Reading:
    """Count customers who came back with another link's state and were turned away.

    Raises NoAnswerError when links were made and no event of them arrived.
    """
    require_told(systems, window=window)
    return _counted(caused_by(systems, Cause.STATE, window=window))


@probe(unit="links", timeout_s=15)
def lost_callbacks(systems: Systems, *, window: timedelta) -> Reading:
    """Count links whose customer consented at Composio 2 minutes ago while our row does not say so.

    Raises NoAnswerError when links were made and no event arrived: a state may not have matched.
    """
    require_told(systems, window=window)
    return _counted(caused_by(systems, Cause.CALLBACK, window=window))


@probe(unit="links", timeout_s=15)
def refused(systems: Systems, *, window: timedelta) -> Reading:
    """Count refusals of the toolkit and tenant that has most; the evidence holds the reasons."""
    found = caused_by(systems, Cause.REFUSED, window=window)
    places = [(one.row["tenant"], one.row["toolkit"]) for one in found]
    most = max((places.count(place) for place in places), default=0)
    return Reading(value=most, detail=[one.shown() for one in found])


@probe(unit="")
def callback(systems: Systems) -> Reading:
    """Ask where customers come back to, as a browser with nothing to say; ``answers`` is right.

    It must know the request for its own and say what is missing; a page of somebody else is not it.
    """
    answer = systems.http("edge").get(CALLBACK, timeout_s=5)
    ours = answer.headers.get("content-type", "").startswith("application/json")
    detail = {"status": answer.status_code, "body": answer.text[:200]}
    if answer.status_code == HTTPStatus.BAD_REQUEST and ours:
        return Reading(value="answers", detail=detail)
    return Reading(value=f"HTTP {answer.status_code}", detail=detail)


@probe(unit="rows", timeout_s=15)
def approved_without_account(systems: Systems, *, window: timedelta) -> Reading:
    """Count rows approved in the window whose own account is not active or holds fewer scopes."""
    accounts = {one["id"]: one for one in listed(systems, "connected_accounts")}
    found = []
    for row in systems.database().rows(RECORDED, window=window):
        account = accounts.get(row["account"], {})
        scopes = scopes_of(account) if account else []
        if account.get("status") != "ACTIVE" or not set(row["granted_scopes"]) <= set(scopes):
            found.append({**row, "Composio": account.get("status", "no account")})
    return Reading(value=len(found), detail=found)


@probe(unit="links", timeout_s=15)
def unrecordable(systems: Systems, *, window: timedelta) -> Reading:
    """Count broken links whose end cannot be recorded, as no row can be updated.

    A customer who was refused has no end that anybody waits for.
    """
    broken = triggers_without_column(systems.database())
    waiting = [
        one
        for one in attempts(systems, window=window)
        if one.cause not in (Cause.UNDER_WAY, Cause.REFUSED)
    ]
    return _counted(waiting if broken else [])


def _counted(found: list[Attempt]) -> Reading:
    return Reading(value=len(found), detail=[one.shown() for one in found])


def _rated(row: dict[str, Any]) -> dict[str, Any]:
    """Return a group with its share, of the day or of the last hour, whichever is worse."""
    usual = 100 * row["usual_failed"] / max(row["usual_requests"], 1)
    spans = [(row["requests"], row["failed"]), (row["requests_1h"], row["failed_1h"])]
    known = [(100 * failed / of, failed) for of, failed in spans if of >= REQUESTS]
    percent, failed = max(known, default=(0.0, 0))
    high = percent > max(HIGH_PERCENT, TIMES_USUAL * usual)
    return {
        "toolkit": row["toolkit"] or "all",
        "tenant": row["tenant"] or "all",
        "requests": row["requests"],
        "failed": row["failed"],
        "percent": round(percent, 1),
        "usual_percent": round(usual, 1),
        "worse than usual": high and failed >= FAILURES,
    }


def _impact(worst: dict[str, Any] | None) -> Impact | None:
    if worst is None:
        return None
    figure = ImpactFigure(
        name="Connections that failed in the worst group",
        value=f"{worst['failed']} of {worst['requests']}",
        weight=worst["failed"],
    )
    # Severity: more than 5 % of connections failing is a SEV2.
    return Impact(severity="SEV2", figures=(figure,))
