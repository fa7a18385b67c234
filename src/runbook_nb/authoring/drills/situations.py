"""Situations: variations of faults and look-alikes, each held against its runbook's diagnosis.

A drill proves that a runbook mends what it was written for. Its situations prove that it sees the
same failure in another shape, and does nothing where all only looks like it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runbook_nb.authoring.drills.columns import in_columns
from runbook_nb.authoring.drills.diagnosis import diagnose
from runbook_nb.authoring.drills.experiment import lab_of
from runbook_nb.authoring.drills.series import alone_on_lab
from runbook_nb.errors import RunbookError
from runbook_nb.runbook.drill import Drill, Situation
from runbook_nb.runbook.lab import Lab
from runbook_nb.runbook.packs import find_fault
from runbook_nb.runbook.runbook import Runbook

_COMPARED: Final = ("failed", "warned", "unknown", "option")


@dataclass(frozen=True, kw_only=True)
class SituationResult:
    """What a diagnosis found in a situation; ``problem`` is empty where it is as expected."""

    situation: Situation
    problem: str
    took_s: float
    found: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "situation": self.situation.name,
            "kind": str(self.situation.kind),
            "expected": dict(self.situation.expect),
            "found": {key: self.found.get(key) for key in _COMPARED},
            "problem": self.problem,
            "took_s": round(self.took_s, 1),
        }


def run_situations(
    drills: Sequence[Drill], *, times: int, say: Callable[[str], None]
) -> list[SituationResult]:
    """Diagnose in each situation of these drills, so many times; end with a table."""
    results = []
    with alone_on_lab():
        for drill in [drill for _ in range(times) for drill in drills]:
            for situation in drill.situations:
                result = run_situation(situation, lab=lab_of(drill))
                say(_line(result))
                results.append(result)
    if results:
        say(situations_table(results))
    return results


def run_situation(situation: Situation, *, lab: Lab) -> SituationResult:
    """Inject the situation's fault into a quiet lab, diagnose, heal, and compare."""
    began = time.monotonic()
    if firing := list(lab.wait_until_quiet()):
        problem = f"The lab was not healthy before: {', '.join(firing)}."
        return SituationResult(situation=situation, problem=problem, took_s=0.0)
    found: dict[str, Any] = {}
    try:
        found = _found(situation, lab=lab)
        problem = "; ".join(_differences(situation.expect, found))
    except RunbookError as error:
        problem = f"{type(error).__name__}: {error}"
    took_s = time.monotonic() - began
    return SituationResult(situation=situation, problem=problem, took_s=took_s, found=found)


def _found(situation: Situation, *, lab: Lab) -> dict[str, Any]:
    runbook, fault = Runbook.find(situation.runbook), find_fault(lab, situation.fault)
    try:
        fault.inject()
        return diagnose(runbook, parameters=situation.parameters)
    finally:
        fault.heal()


def situations_table(results: Sequence[SituationResult]) -> str:
    """Return the results as plain text: what was expected and found, in how many seconds."""
    rows = [("situation", "kind", "result", "failed checks", "option", "s"), *map(_row, results)]
    wrong = [result for result in results if result.problem]
    return "\n".join(
        [*in_columns(rows), f"{len(results)} situations, {len(wrong)} wrong.", *map(_line, wrong)]
    )


def _differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for key in _COMPARED:
        if expected[key] != found[key]:
            yield f"{key}: expected {_say(expected[key])}, found {_say(found[key])}"


def _row(result: SituationResult) -> tuple[str, ...]:
    return (
        result.situation.name,
        str(result.situation.kind),
        "WRONG" if result.problem else "right",
        _say(result.found.get("failed")),
        _say(result.found.get("option")).partition(":")[0],
        f"{result.took_s:.1f}",
    )


def _line(result: SituationResult) -> str:
    said = f"WRONG: {result.problem}" if result.problem else "right"
    return f"{result.situation.name} in {result.took_s:.1f} s: {said}"


def _say(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value or "none")
