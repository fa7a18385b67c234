"""Compare two runs of one runbook: verdicts, values, choices, actions, and the text that ran."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_nb.errors import IncidentStateError
from runbook_nb.record.postmortem.run_lookup import Ran
from runbook_nb.text.formatting import said
from runbook_nb.text.values import Json
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Acted, Checked, Verdict, Verified

_NOT_READ = "not read"


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """How one check stood in one run; without a verdict it was not read."""

    verdict: Verdict | None = None
    value: str = _NOT_READ
    expect: str = ""
    took_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One fact that is another one in the second run."""

    what: str
    first: str
    second: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two runs side by side.

    ``checks`` holds first and last reading of each check in both runs; ``facts`` what differs in
    choice, actions, parameters, versions and duration; ``text`` the unified diff of the notebooks.
    """

    first: Ran
    second: Ran
    checks: tuple[tuple[str, CheckResult, CheckResult], ...]
    verifications: tuple[tuple[str, CheckResult, CheckResult], ...]
    facts: tuple[Difference, ...]
    text: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Fail where verdicts differ, warn where anything but values and durations does."""
        pairs = (*self.checks, *self.verifications)
        if any(one.verdict is not other.verdict for _, one, other in pairs):
            return Verdict.FAIL
        told = [fact for fact in self.facts if fact.what not in _UNEQUAL_ANYWAY]
        return Verdict.WARN if told or self.text else Verdict.PASS


_UNEQUAL_ANYWAY = frozenset({"took", "by"})


def compare(first: Ran, second: Ran) -> Comparison:
    """Return what two runs have in common and what not.

    Raises IncidentStateError for runs of two runbooks.
    """
    names = (first.started.runbook, second.started.runbook)
    if names[0] != names[1]:
        message = (
            f"{first.name} ran {names[0]}, {second.name} ran {names[1]}: "
            "only runs of one runbook can be compared."
        )
        raise IncidentStateError(message)
    return Comparison(
        first=first,
        second=second,
        checks=_paired(_readings(first, Checked), _readings(second, Checked)),
        verifications=_paired(_readings(first, Verified), _readings(second, Verified)),
        facts=tuple(_facts(first, second)),
        text=tuple(_text(first, second)),
    )


def _readings(ran: Ran, kind: type[Checked] | type[Verified]) -> dict[str, CheckResult]:
    """Return the first reading of each check, or the last of each verification."""
    found: dict[str, CheckResult] = {}
    for event in ran.events:
        if isinstance(event, kind) and (kind is Verified or event.title not in found):
            evidence = event.evidence
            value = said(evidence.answer, evidence.unit) if not evidence.reason else "no reading"
            found[event.title] = CheckResult(
                verdict=event.verdict, value=value, expect=event.expect, took_s=evidence.took_s
            )
    return found


def _paired(
    first: Mapping[str, CheckResult], second: Mapping[str, CheckResult]
) -> tuple[tuple[str, CheckResult, CheckResult], ...]:
    nothing = CheckResult()
    titles = dict.fromkeys([*first, *second])
    return tuple((title, first.get(title, nothing), second.get(title, nothing)) for title in titles)


def _facts(first: Ran, second: Ran) -> list[Difference]:
    pairs = {
        "option": (_option(first), _option(second)),
        "by": (first.started.by, second.started.by),
        "run": (_kind(first), _kind(second)),
        "environment": (first.started.environment, second.started.environment),
        "took": (_took(first), _took(second)),
        **_each("action", _actions(first), _actions(second)),
        **_each("parameter", first.started.parameters, second.started.parameters),
        **_each("version", first.started.versions, second.started.versions),
    }
    return [
        Difference(what=what, first=one, second=other)
        for what, (one, other) in pairs.items()
        if one != other
    ]


def _each(
    kind: str, first: Mapping[str, Json], second: Mapping[str, Json]
) -> dict[str, tuple[str, str]]:
    names = dict.fromkeys([*first, *second])
    return {f"{kind} {name}": (_say(first, name), _say(second, name)) for name in names}


def _say(known: Mapping[str, Json], name: str) -> str:
    return said(known[name]) if name in known else "none"


def _option(ran: Ran) -> str:
    decided = queries.decided(ran.events)
    return (decided.option or "none") if decided else "not decided"


def _kind(ran: Ran) -> str:
    return "attended" if ran.started.attended else "unattended"


def _actions(ran: Ran) -> dict[str, str]:
    acted = queries.of(ran.events, Acted)
    return {event.title: event.outcome.replace("_", " ") for event in acted}


def _took(ran: Ran) -> str:
    ended = queries.ended(ran.events, ran.started.run)
    return said(ended.took_s, "s") if ended else "no end was recorded"


def _text(first: Ran, second: Ran) -> Sequence[str]:
    """Return how the notebooks differ; where one is lost, only whether they were the same."""
    if first.started.runbook_digest == second.started.runbook_digest:
        return []
    if first.text is None or second.text is None:
        lost = first.name if first.text is None else second.name
        return [f"The texts differ, and the notebook of {lost} is not kept."]
    return list(
        difflib.unified_diff(
            first.text, second.text, fromfile=first.name, tofile=second.name, lineterm="", n=2
        )
    )
