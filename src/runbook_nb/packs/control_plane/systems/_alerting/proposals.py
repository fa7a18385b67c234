"""Changes of rules that spare pages, each held against the weeks, with what it would have lost.

A change that would have told one real incident never, or more than five minutes later, is not
proposed; of several changes, each is held against what the ones before it leave.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from runbook_nb.packs.control_plane.systems._alerting import findings
from runbook_nb.packs.control_plane.systems._alerting.past import Past, moment
from runbook_nb.packs.control_plane.systems._alerting.replay import Episode
from runbook_nb.packs.control_plane.systems._alerting.rules import Inhibition, PagingRule

# Hysteresis before delay: keeping an alert open tells nothing later.
_KEEP_MIN: Final = (10, 15, 30, 60)
_HOLD_MIN: Final = (5, 10, 15)
# Of the gap between what was noise and what was real, the new limit leaves most to the real.
_SHARE_OF_GAP: Final = 0.25
_DIGITS: Final = 3
TICKET: Final = "ticket"
_VITAL: Final = "It watches data or security, which is never made quieter"


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One change of a rule: the field and its new value, or why there is none.

    ``changed`` is the past as the changed rules would have made it.
    """

    rule: str
    field: str = ""
    value: str = ""
    pages_before: int = 0
    pages_after: int = 0
    lost: tuple[Mapping[str, Any], ...] = ()
    declined: str = ""
    changed: Past | None = None

    def told(self) -> dict[str, Any]:
        """Return the proposal for the eye."""
        if self.declined:
            return {"rule": self.rule, "declined": self.declined, "would lose": list(self.lost)}
        return {
            "rule": self.rule,
            "change": f"{self.field}: {self.value}",
            "pages of the weeks": f"{self.pages_before}, then {self.pages_after}",
            "real incidents lost": 0,
        }


def steadier(past: Past) -> list[Proposal]:
    """Propose for each flapping rule to keep its alert open, or to wait longer."""
    return _in_turn(past, findings.flapping_rules(past), _steadier)


def higher(past: Past) -> list[Proposal]:
    """Propose for each rule that is too tight the limit that spares most and loses nothing."""
    return _in_turn(past, [one.rule.name for one in findings.tight_rules(past)], _higher)


def quieter(past: Past) -> list[Proposal]:
    """Propose a ticket instead of a page for each rule that nobody has acted on."""
    return _in_turn(past, [one.rule.name for one in findings.ignored_rules(past)], _quieter)


def inhibited(past: Past) -> list[tuple[Inhibition, Proposal]]:
    """Propose for each pair of duplicates that the one is quiet while the other fires."""
    found = []
    for pair, _ in findings.duplicates(past):
        proposal = _inhibited(past, past.rule(pair.target), pair)
        found.append((pair, proposal))
        past = proposal.changed or past
    return found


def _in_turn(
    past: Past, names: Iterable[str], propose: Callable[[Past, PagingRule], Proposal]
) -> list[Proposal]:
    found = []
    for name in names:
        found.append(propose(past, past.rule(name)))
        past = found[-1].changed or past
    return found


def _steadier(past: Past, rule: PagingRule) -> Proposal:
    before, lost = past.paged()[rule.name], []
    for field, minutes, changed in _steadier_rules(rule):
        then = past.with_rule(changed)
        after = then.paged()
        if findings.flapping(past, after[rule.name]):
            continue
        if not (lost := past.lost(after)):
            return _proposal(
                rule,
                field=field,
                value=f"{minutes}m",
                before=before,
                after=after[rule.name],
                changed=then,
            )
    return _none(rule, "No duration ends the flapping without losing a real incident", lost)


def _steadier_rules(rule: PagingRule) -> Iterator[tuple[str, int, PagingRule]]:
    for minutes in _KEEP_MIN:
        if minutes * 60 > rule.keep_s:
            yield "keep_firing_for", minutes, replace(rule, keep_s=minutes * 60.0)
    for minutes in _HOLD_MIN:
        if minutes * 60 > rule.hold_s:
            yield "for", minutes, replace(rule, hold_s=minutes * 60.0)


def _higher(past: Past, rule: PagingRule) -> Proposal:
    if rule.vital:
        return _none(rule, _VITAL, [])
    if rule.compared is None or not rule.compared[1].startswith(">"):
        return _none(rule, "Its condition is no limit from above, so none can be moved", [])
    before = past.paged()[rule.name]
    peaks = sorted({each.peak for each in before})
    best, lost = None, []
    for low, high in pairwise(peaks):
        limit = float(f"{low + _SHARE_OF_GAP * (high - low):.{_DIGITS}g}")
        if not low < limit < high:
            continue
        changed = replace(rule, query=f"{rule.compared[0]} {rule.compared[1]} {limit:g}")
        then = past.with_rule(changed, above=limit)
        after = then.paged()
        if lost := past.lost(after):
            break
        counted = findings.count(past, rule, after[rule.name])
        if not findings.too_many_unacted(counted):
            best = _proposal(
                rule,
                field="expr",
                value=changed.query,
                before=before,
                after=after[rule.name],
                changed=then,
            )
    return best or _none(rule, "No limit parts what was noise from what was real", lost)


def _quieter(past: Past, rule: PagingRule) -> Proposal:
    if rule.vital:
        return _none(rule, _VITAL, [])
    before = past.paged()
    changed = replace(rule, labels={**rule.labels, "severity": TICKET})
    then = past.with_rule(changed)
    lost = past.lost(then.paged())
    # A second sign that asks no component: was any incident declared while it fired?
    lost += [
        {"what": page.title, "at": moment(page.begins), "told": f"while {rule.name} fired"}
        for page in past.pages
        if page.declared
        and any(one.begins <= page.ends and page.begins <= one.ends for one in before[rule.name])
    ]
    if lost:
        return _none(rule, "An incident was declared while it fired: it may have told it", lost)
    return _proposal(
        rule, field="severity", value=TICKET, before=before[rule.name], after=[], changed=then
    )


def _inhibited(past: Past, rule: PagingRule, pair: Inhibition) -> Proposal:
    if rule.vital:
        return _none(rule, _VITAL, [])
    then = replace(past, inhibited=(*past.inhibited, pair))
    after = then.paged()
    if lost := past.lost(after):
        return _none(rule, f"While {pair.source} fires it would have been missed", lost)
    before = past.paged()[rule.name]
    return _proposal(
        rule,
        field="inhibited by",
        value=pair.source,
        before=before,
        after=after[rule.name],
        changed=then,
    )


def _proposal(
    rule: PagingRule,
    *,
    field: str,
    value: str,
    before: Sequence[Episode],
    after: Sequence[Episode],
    changed: Past,
) -> Proposal:
    return Proposal(
        rule=rule.name,
        field=field,
        value=value,
        pages_before=len(before),
        pages_after=len(after),
        changed=changed,
    )


def _none(rule: PagingRule, why: str, lost: Sequence[Mapping[str, Any]]) -> Proposal:
    return Proposal(rule=rule.name, declined=f"{why}.", lost=tuple(lost))
