"""What rules make of past samples: alerts as Prometheus raises them, one by one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runbook_nb.packs.control_plane.systems._alerting.rules import Inhibition, PagingRule

Samples = Sequence[tuple[float, float]]

# How often the rules are evaluated, in seconds: Prometheus's default, and the platform's.
STEP_S: Final = 60.0
# Alertmanager waits so long before it tells of a new group: what is inhibited by then stays quiet.
_GROUP_WAIT_S: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One alert: it fires from ``begins`` to ``ends`` (Unix seconds); ``peak`` is its worst."""

    rule: str
    component: str
    begins: float
    ends: float
    peak: float


def episodes(rule: PagingRule, true: Samples) -> list[Episode]:
    """Return the alerts of a rule from the samples at which its condition holds, oldest first.

    As Prometheus does: it fires once the condition has held at each evaluation for ``for``, and
    resolves at the first at which it does not, or ``keep_firing_for`` after that one.
    """
    found: list[Episode] = []
    for run in _runs(true):
        begins, falls = run[0][0] + rule.hold_s, run[-1][0] + STEP_S
        peak = _worst(rule, run)
        open_still = found and run[0][0] <= found[-1].ends and rule.keep_s > 0
        if open_still:
            last = found.pop()
            begins, peak = last.begins, _worse(rule, last.peak, peak)
        elif run[-1][0] < begins:
            continue
        found.append(
            Episode(
                rule=rule.name,
                component=rule.component,
                begins=begins,
                ends=falls + rule.keep_s,
                peak=peak,
            )
        )
    return found


def paged(
    alerts: Mapping[str, Sequence[Episode]],
    rules: Iterable[PagingRule],
    spared_by: Sequence[Inhibition],
) -> dict[str, list[Episode]]:
    """Return the alerts that page, by rule: those of paging rules that nothing inhibits."""
    by_name = {rule.name: rule for rule in rules}
    found = {}
    for name, rule in by_name.items():
        if rule.pages:
            sources = [one for one in spared_by if one.target == name and one.source in by_name]
            found[name] = [
                each
                for each in alerts[name]
                if not any(
                    _equal(one, by_name[one.source], rule) and _covers(alerts[one.source], each)
                    for one in sources
                )
            ]
    return found


def _covers(sources: Sequence[Episode], target: Episode) -> bool:
    return any(one.begins <= target.begins + _GROUP_WAIT_S < one.ends for one in sources)


def _equal(inhibition: Inhibition, source: PagingRule, target: PagingRule) -> bool:
    return all(source.labels.get(one) == target.labels.get(one) for one in inhibition.equal)


def _runs(true: Samples) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = []
    for sample in true:
        if runs and sample[0] - runs[-1][-1][0] <= STEP_S * 1.5:
            runs[-1].append(sample)
        else:
            runs.append([sample])
    return runs


def _worst(rule: PagingRule, run: Samples) -> float:
    values = [value for _, value in run]
    return min(values) if _falls(rule) else max(values)


def _worse(rule: PagingRule, one: float, other: float) -> float:
    return min(one, other) if _falls(rule) else max(one, other)


def _falls(rule: PagingRule) -> bool:
    return rule.compared is not None and rule.compared[1].startswith("<")
