"""The alert rules that Prometheus has loaded, and the silences and inhibitions of Alertmanager."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from runbook_nb.errors import NoAnswerError
from runbook_nb.probes.calls import Systems

# The label by which Alertmanager's routes wake somebody.
PAGES: Final = "page"
# Incident process: what concerns data and security is SEV1, and is never made quieter.
VITAL: Final = frozenset({"data", "security"})
_COMPARISON: Final = re.compile(r"^(?P<figure>.*\S)\s*(?P<sign>>=|<=|>|<)\s*(?P<limit>-?[\d.]+)$")
_MATCHER: Final = re.compile(r'^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$')


@dataclass(frozen=True, kw_only=True)
class PagingRule:
    """One alert rule as it is loaded; ``hold_s`` is its ``for``, ``keep_s`` its keep_firing_for."""

    name: str
    query: str
    hold_s: float
    keep_s: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def component(self) -> str:
        """The part of the platform it watches."""
        return self.labels.get("component", "")

    @property
    def pages(self) -> bool:
        """Tell whether it wakes somebody."""
        return self.labels.get("severity") == PAGES

    @property
    def vital(self) -> bool:
        """Tell whether it watches data or security."""
        return self.labels.get("class") in VITAL

    @property
    def compared(self) -> tuple[str, str, float] | None:
        """The figure, the sign and the limit; None where the query is no such comparison."""
        found = _COMPARISON.match(self.query)
        return (found["figure"], found["sign"], float(found["limit"])) if found else None


@dataclass(frozen=True, kw_only=True)
class Silence:
    """One silence of Alertmanager, active or still to come."""

    id: str
    begins: datetime
    ends: datetime
    by: str
    comment: str
    matchers: tuple[Mapping[str, Any], ...]

    @property
    def length(self) -> timedelta:
        """How long it hides in all."""
        return self.ends - self.begins

    def hides(self, rule: PagingRule) -> bool:
        """Tell whether the alerts of a rule match all its matchers."""
        labels = {"alertname": rule.name, **rule.labels}
        return all(_matches(one, labels) for one in self.matchers)


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """One inhibition: the rules' names of source and target, and the labels that must be equal."""

    source: str
    target: str
    equal: tuple[str, ...]


def loaded_rules(systems: Systems) -> tuple[PagingRule, ...]:
    """Return the alert rules; raises NoAnswerError where they cannot be told apart or evaluated."""
    answer = systems.http("prometheus").get("/api/v1/rules", params={"type": "alert"})
    groups = answer.raise_for_status().json()["data"]["groups"]
    read = [one for group in groups for one in group["rules"] if one["type"] == "alerting"]
    if not read:
        message = "Prometheus has no alert rule loaded."
        raise NoAnswerError(message)
    if broken := [one["name"] for one in read if one["health"] == "err"]:
        message = f"Prometheus cannot evaluate {', '.join(broken)}: mend the rule first."
        raise NoAnswerError(message)
    names = [one["name"] for one in read]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        message = f"Two rules share a name, so their pages cannot be told apart: {twice[0]}."
        raise NoAnswerError(message)
    return tuple(
        PagingRule(
            name=one["name"],
            query=one["query"],
            hold_s=float(one["duration"]),
            keep_s=float(one.get("keepFiringFor", 0)),
            labels=one["labels"],
            annotations=one["annotations"],
        )
        for one in read
    )


def silences(systems: Systems) -> tuple[Silence, ...]:
    """Return the silences that are not over."""
    found = systems.http("alertmanager").get("/api/v2/silences").raise_for_status().json()
    return tuple(
        Silence(
            id=one["id"],
            begins=datetime.fromisoformat(one["startsAt"]),
            ends=datetime.fromisoformat(one["endsAt"]),
            by=one["createdBy"],
            comment=one["comment"],
            matchers=tuple(one["matchers"]),
        )
        for one in found
        if one["status"]["state"] != "expired"
    )


def routes(systems: Systems) -> str:
    """Return Alertmanager's configuration as it is loaded, written anew and without secrets."""
    status = systems.http("alertmanager").get("/api/v2/status").raise_for_status().json()
    return str(status["config"]["original"])


def inhibitions(configuration: str) -> tuple[Inhibition, ...]:
    """Return the inhibitions from one named rule to another; others spare nothing here."""
    rules = (yaml.safe_load(configuration) or {}).get("inhibit_rules") or []
    found = []
    for rule in rules:
        source, target = (_named(rule, side) for side in ("source", "target"))
        if source and target:
            found.append(
                Inhibition(source=source, target=target, equal=tuple(rule.get("equal") or ()))
            )
    return tuple(found)


def _named(rule: Mapping[str, Any], side: str) -> str:
    read = [_MATCHER.match(one.strip()) for one in rule.get(f"{side}_matchers") or []]
    names = [one[3] for one in read if one and (one[1], one[2]) == ("alertname", "=")]
    return names[0] if len(read) == len(names) == 1 else ""


def _matches(matcher: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value, wanted = labels.get(matcher["name"], ""), str(matcher["value"])
    same = bool(re.fullmatch(wanted, value)) if matcher["isRegex"] else value == wanted
    return same is bool(matcher.get("isEqual", True))
