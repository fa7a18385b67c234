"""The last weeks, replayed: what today's rules would page, what was acted on, what was real."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runbook_nb.errors import NoAnswerError
from runbook_nb.packs.control_plane.systems._alerting.pages import PastPage, past_pages
from runbook_nb.packs.control_plane.systems._alerting.replay import (
    STEP_S,
    Episode,
    Samples,
    episodes,
    paged,
)
from runbook_nb.packs.control_plane.systems._alerting.rules import (
    Inhibition,
    PagingRule,
    inhibitions,
    loaded_rules,
    routes,
)
from runbook_nb.probes.calls import Systems

# Prometheus answers at most 11,000 points of a series at once: seven days at a point a minute.
_CHUNK: Final = timedelta(days=7)
# With more of its samples missing, quiet and blind look the same.
_LEAST_KEPT: Final = 0.95
_BEFORE_S: Final = 1800  # an alert so long before an incident was declared may have told it
_BESIDE_S: Final = 600  # a page so near to an alert is of the same trouble
# The platform's target: detected within 5 minutes.
LATE_S: Final = 300


@dataclass(frozen=True, kw_only=True)
class Past:
    """Today's rules and the last weeks that they are held against."""

    rules: tuple[PagingRule, ...]
    true: Mapping[str, tuple[Samples, ...]]
    kept: Mapping[str, int]
    pages: tuple[PastPage, ...]
    inhibited: tuple[Inhibition, ...]

    def alerts(self, rule: PagingRule) -> list[Episode]:
        """Return all alerts that a rule makes of the weeks, by all its series, oldest first."""
        found = [each for series in self.true[rule.name] for each in episodes(rule, series)]
        return sorted(found, key=lambda each: each.begins)

    def rule(self, name: str) -> PagingRule:
        """Return a rule by its name."""
        return next(rule for rule in self.rules if rule.name == name)

    def paged(self) -> dict[str, list[Episode]]:
        """Return by rule the alerts that page."""
        alerts = {rule.name: self.alerts(rule) for rule in self.rules}
        return paged(alerts, self.rules, self.inhibited)

    def acted(self, alert: Episode) -> bool:
        """Tell whether somebody acted on a page of the same component around an alert."""
        return any(
            page.acted
            and page.component in ("", alert.component)
            and page.begins - _BESIDE_S <= alert.ends
            and alert.begins <= page.ends + _BESIDE_S
            for page in self.pages
        )

    def lost(self, after: Mapping[str, Sequence[Episode]]) -> list[dict[str, Any]]:
        """Return what was real and would be told no more, or more than five minutes later.

        Real is what was acted on or declared. It is told by the first page of its component from
        half an hour before it on; an alert that was open for longer tells nothing new.
        """
        before = self.paged()
        found = []
        for page in self.pages:
            if not page.acted:
                continue
            was, will = told_at(page, before), told_at(page, after)
            if was is not None and (will is None or will - was > LATE_S):
                how = "never" if will is None else f"{(will - was) / 60:.0f} min later"
                found.append({"what": page.title, "at": moment(page.begins), "told": how})
        return found

    def with_rule(self, rule: PagingRule, *, above: float | None = None) -> "Past":
        """Return the same weeks with one rule changed; ``above`` is its new limit."""
        rules = tuple(rule if one.name == rule.name else one for one in self.rules)
        if above is None:
            return replace(self, rules=rules)
        series = tuple(
            [sample for sample in each if sample[1] > above] for each in self.true[rule.name]
        )
        return replace(self, rules=rules, true={**self.true, rule.name: series})


def told_at(page: PastPage, pages: Mapping[str, Sequence[Episode]]) -> float | None:
    """Return when the first alert told of what a page was about; None where none did."""
    times = [
        each.begins
        for alerts in pages.values()
        for each in alerts
        if page.component in ("", each.component)
        and page.begins - _BEFORE_S <= each.begins <= page.ends
    ]
    return min(times, default=None)


def read_past(systems: Systems, *, window: timedelta) -> Past:
    """Read rules, samples and pages; raises NoAnswerError where the weeks cannot be seen whole."""
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    rules = loaded_rules(systems)
    pages = past_pages(systems, since=until - window, until=until)
    kept = {rule.name: _kept(systems, rule, window) for rule in rules}
    if not any(kept.values()):
        message = "Prometheus has no sample of any rule's figure."
        raise NoAnswerError(message)
    return Past(
        rules=rules,
        true={rule.name: _true(systems, rule, until - window, until) for rule in rules},
        kept=kept,
        pages=pages,
        inhibited=inhibitions(routes(systems)),
    )


def instant(systems: Systems, query: str) -> list[float]:
    """Return the values that an instant query has now, one a series."""
    answer = systems.http("prometheus").get("/api/v1/query", params={"query": query})
    result = answer.raise_for_status().json()["data"]["result"]
    return [float(one["value"][1]) for one in result]


def stretches(
    systems: Systems, rule: PagingRule, query: str, *, window: timedelta
) -> list[Episode]:
    """Return the stretches of the weeks in which a condition held, whatever the rule waits."""
    until = datetime.now(UTC).replace(second=0, microsecond=0)
    asked = replace(rule, query=query, hold_s=0.0, keep_s=0.0)
    series = _true(systems, asked, until - window, until)
    return [each for one in series for each in episodes(asked, one)]


def over_window(figure: str, window: timedelta, fold: str) -> str:
    """Return the query for the count, max or min of a figure over a window, a point a minute."""
    return f"{fold}_over_time(({figure})[{window.total_seconds():.0f}s:{STEP_S:.0f}s])"


def moment(at: float) -> str:
    """Return a Unix time for the eye, in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def _kept(systems: Systems, rule: PagingRule, window: timedelta) -> int:
    """Count the samples of a rule's figure; 0 where there is none, -1 where it cannot be asked."""
    if rule.compared is None:
        return -1
    figure = rule.compared[0]
    counted = max(instant(systems, over_window(figure, window, "count")), default=0)
    wanted = window.total_seconds() / STEP_S
    if 0 < counted < wanted * _LEAST_KEPT:
        message = (
            f"Prometheus holds {counted:.0f} of {wanted:.0f} samples of {figure}: in the gap, "
            "quiet and blind look the same. Take a shorter window, or mend its retention."
        )
        raise NoAnswerError(message)
    return int(counted)


def _true(
    systems: Systems, rule: PagingRule, since: datetime, until: datetime
) -> tuple[Samples, ...]:
    """Return the samples at which a rule's condition held, one list a series."""
    found: dict[str, list[tuple[float, float]]] = {}
    begins = since
    while begins < until:
        ends = min(begins + _CHUNK, until)
        query = {"query": rule.query, "step": f"{STEP_S:.0f}"}
        # The next part begins where this one ends, so its last point is left to that.
        last = ends if ends == until else ends - timedelta(seconds=STEP_S)
        span = {"start": f"{begins.timestamp():.0f}", "end": f"{last.timestamp():.0f}"}
        answer = systems.http("prometheus").get("/api/v1/query_range", params={**query, **span})
        for series in answer.raise_for_status().json()["data"]["result"]:
            values = [(float(at), float(value)) for at, value in series["values"]]
            found.setdefault(repr(sorted(series["metric"].items())), []).extend(values)
        begins = ends
    return tuple(found.values())
