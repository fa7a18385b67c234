"""What is wrong with rules, told from what they would page and what was done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.packs.control_plane.systems._alerting.past import Past
from runbook_nb.packs.control_plane.systems._alerting.replay import Episode
from runbook_nb.packs.control_plane.systems._alerting.rules import Inhibition, PagingRule

# Platform's table: opened and closed three times in an hour is flapping.
_FLAPS: Final = 3
_HOUR_S: Final = 3600
_SHIFT_S: Final = 43_200
# Once may be one bad night; twice it is the rule.
_FLAPPING_NIGHTS: Final = 2
# Fewer unacted pages than these in four weeks tire nobody, and are too few to judge a rule by.
_ENOUGH: Final = 8
_MOST_UNACTED: Final = 0.5  # platform's table: half of the alerts are acted on
# Platform's table: within ten minutes is the same; below five times it may be chance.
_TOGETHER_S: Final = 600
_ENOUGH_TOGETHER: Final = 5
_SHARE_TOGETHER: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class RuleCount:
    """A rule's pages of the weeks: how many, and how many of them nobody acted on."""

    rule: PagingRule
    pages: int
    unacted: int


def flapping(past: Past, alerts: Sequence[Episode]) -> int:
    """Count the nights in which a rule's alerts flapped and nobody acted on any of these."""
    quiet = [each.begins for each in alerts if not past.acted(each)]
    nights: list[float] = []
    for first, third in zip(quiet, quiet[_FLAPS - 1 :], strict=False):
        # Counted from its own beginning, as a night has a midnight in it.
        if third - first <= _HOUR_S and (not nights or first - nights[-1] >= _SHIFT_S):
            nights.append(first)
    return len(nights)


def flapping_rules(past: Past) -> dict[str, int]:
    """Return the rules that flap in two nights or more, with the number of nights."""
    nights = {name: flapping(past, alerts) for name, alerts in past.paged().items()}
    return {name: count for name, count in nights.items() if count >= _FLAPPING_NIGHTS}


def too_many_unacted(counted: RuleCount) -> bool:
    """Tell whether enough pages of a rule, and most of them, were acted on by nobody."""
    return counted.unacted >= _ENOUGH and counted.unacted > _MOST_UNACTED * counted.pages


def counts(past: Past) -> list[RuleCount]:
    """Count the pages of each rule, as today's rules would make them."""
    by_name = {rule.name: rule for rule in past.rules}
    return [count(past, by_name[name], alerts) for name, alerts in past.paged().items()]


def count(past: Past, rule: PagingRule, alerts: Sequence[Episode]) -> RuleCount:
    """Count the pages of one rule."""
    unacted = sum(not past.acted(each) for each in alerts)
    return RuleCount(rule=rule, pages=len(alerts), unacted=unacted)


def tight_rules(past: Past) -> list[RuleCount]:
    """Return the rules of which some pages were acted on and most were not, but for flapping."""
    flap = flapping_rules(past)
    return [
        one
        for one in counts(past)
        if too_many_unacted(one) and one.unacted < one.pages and one.rule.name not in flap
    ]


def ignored_rules(past: Past) -> list[RuleCount]:
    """Return the rules of which no page was acted on, but for flapping ones."""
    flap = flapping_rules(past)
    return [
        one
        for one in counts(past)
        if too_many_unacted(one) and one.unacted == one.pages and one.rule.name not in flap
    ]


def duplicates(past: Past) -> list[tuple[Inhibition, int]]:
    """Return the pairs of rules that page for one component together, with how often they did.

    The target is the rule that hardly ever pages without the source.
    """
    pages = past.paged()
    found: list[tuple[Inhibition, int]] = []
    for target, alerts in pages.items():
        for source, others in pages.items():
            beside = [one for one in alerts if _beside(one, others)] if source != target else []
            often = len(beside) >= max(_ENOUGH_TOGETHER, _SHARE_TOGETHER * len(alerts))
            taken = any({source, target} == {one.source, one.target} for one, _ in found)
            if often and not taken and _vaguer(pages, target, source):
                pair = Inhibition(source=source, target=target, equal=("component",))
                found.append((pair, len(beside)))
    return found


def _beside(one: Episode, others: Sequence[Episode]) -> bool:
    return any(
        one.component == other.component and abs(one.begins - other.begins) <= _TOGETHER_S
        for other in others
    )


def _vaguer(pages: dict[str, list[Episode]], target: str, source: str) -> bool:
    """Tell whether the target pages no more than the source, and not earlier in all."""
    ours, theirs = pages[target], pages[source]
    starts = [
        one.begins - other.begins for one in ours for other in theirs if _beside(one, [other])
    ]
    return len(ours) <= len(theirs) and sum(starts) >= 0
