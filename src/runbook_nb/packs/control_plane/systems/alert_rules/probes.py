"""What is read of alert rules: each replayed as it stands now on the samples of the last weeks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._alerting import findings, proposals
from runbook_nb.packs.control_plane.systems._alerting.past import (
    LATE_S,
    Past,
    instant,
    moment,
    over_window,
    read_past,
    stretches,
    told_at,
)
from runbook_nb.packs.control_plane.systems._alerting.rules import (
    PagingRule,
    loaded_rules,
    silences,
)
from runbook_nb.probes.calls import Reading, Systems, probe

_SHIFT_H: Final = 12
# A figure that stops at the very same height three times is cut off there.
_STOPS: Final = 3


@probe(unit="pages", timeout_s=30)
def pages_per_shift(systems: Systems, *, window: timedelta) -> Reading:
    """Return the pages that today's rules would send in a shift of 12 hours, on average."""
    past = read_past(systems, window=window)
    counted = sorted(findings.counts(past), key=lambda one: -one.pages)
    shifts = window / timedelta(hours=_SHIFT_H)
    rows = [_row(one) for one in counted if one.pages]
    return Reading(value=round(sum(one.pages for one in counted) / shifts, 2), detail=rows)


@probe(unit="rules", timeout_s=30)
def flapping(systems: Systems, *, window: timedelta) -> Reading:
    """Count the rules that page three times within an hour, in two shifts, with nobody acting."""
    past = read_past(systems, window=window)
    nights = findings.flapping_rules(past)
    return Reading(value=len(nights), detail=_detail(nights, proposals.steadier(past)))


@probe(unit="rules", timeout_s=30)
def tight(systems: Systems, *, window: timedelta) -> Reading:
    """Count the rules whose pages are sometimes acted on and mostly not: a limit too tight."""
    past = read_past(systems, window=window)
    found = findings.tight_rules(past)
    return Reading(value=len(found), detail=_detail(_rows(found), proposals.higher(past)))


@probe(unit="rules", timeout_s=30)
def ignored(systems: Systems, *, window: timedelta) -> Reading:
    """Count the rules that page eight times or more and were never acted on."""
    past = read_past(systems, window=window)
    found = findings.ignored_rules(past)
    return Reading(value=len(found), detail=_detail(_rows(found), proposals.quieter(past)))


@probe(unit="rules", timeout_s=30)
def unable(systems: Systems, *, window: timedelta) -> Reading:
    """Count the paging rules that cannot fire: their figure is gone, or cut off below the limit.

    A rule that has not fired and could is no failure: it is named in the detail, to be kept.
    """
    past = read_past(systems, window=window)
    silent = [rule for rule in past.rules if rule.pages and not past.alerts(rule)]
    why = {rule.name: _why_unable(systems, past, rule, window) for rule in silent}
    found = {name: reason for name, reason in why.items() if reason}
    kept = [name for name, reason in why.items() if not reason]
    return Reading(value=len(found), detail={"unable": found, "quiet and able, keep": kept})


@probe(unit="rules")
def unowned(systems: Systems) -> Reading:
    """Count the paging rules without a runbook or an owner in their annotations."""
    missing = {
        rule.name: lacking
        for rule in loaded_rules(systems)
        if rule.pages
        and (lacking := [one for one in ("runbook", "owner") if not rule.annotations.get(one)])
    }
    return Reading(value=len(missing), detail=missing)


@probe(unit="incidents", timeout_s=30)
def untold(systems: Systems, *, window: timedelta, longest: timedelta) -> Reading:
    """Count the incidents of the weeks that today's rules would not tell within five minutes.

    An incident is what somebody gave a priority. A rule that a silence longer than ``longest``
    hides tells nothing.
    """
    past = read_past(systems, window=window)
    lasting = [one for one in silences(systems) if one.length > longest]
    hidden = {rule.name for rule in past.rules if any(one.hides(rule) for one in lasting)}
    pages = {name: alerts for name, alerts in past.paged().items() if name not in hidden}
    declared = [page for page in past.pages if page.declared]
    missed = []
    for page in declared:
        told = told_at(page, pages)
        if told is None or told - page.begins > LATE_S:
            missed.append({"what": page.title, "at": moment(page.begins)})
    detail = {"missed": missed, "declared": len(declared), "hidden rules": sorted(hidden)}
    return Reading(value=len(missed), detail=detail)


def _why_unable(systems: Systems, past: Past, rule: PagingRule, window: timedelta) -> str:
    if rule.compared is None:
        return ""
    figure, sign, limit = rule.compared
    if not past.kept[rule.name]:
        return f"Prometheus has no sample of {figure}"
    highest = max(instant(systems, over_window(figure, window, "max")), default=limit)
    lowest = min(instant(systems, over_window(figure, window, "min")), default=limit)
    if not sign.startswith(">") or highest >= limit or highest == lowest:
        return ""
    stops = len(stretches(systems, rule, f"{figure} >= {highest:g}", window=window))
    if stops < _STOPS:
        return ""
    return f"{figure} stopped at {highest:g} {stops} times; the rule asks for {sign} {limit:g}"


def _row(one: findings.RuleCount) -> dict[str, Any]:
    return {"rule": one.rule.name, "pages": one.pages, "nobody acted on": one.unacted}


def _rows(found: Sequence[findings.RuleCount]) -> list[dict[str, Any]]:
    return [_row(one) for one in found]


def _detail(found: object, proposed: Sequence[proposals.Proposal]) -> dict[str, Any]:
    return {"rules": found, "proposed": [one.told() for one in proposed]}
