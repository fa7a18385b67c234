"""The matrix: faults against every runbook, unattended and with nothing approved.

A runbook must name what is its own, point to the runbook that owns it, or say that nothing here is
its business. An option with an action against what is another's is wrong.
"""

import random
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from runbook_nb.authoring.drills.columns import in_columns
from runbook_nb.authoring.drills.diagnosis import diagnose
from runbook_nb.authoring.drills.series import alone_on_lab
from runbook_nb.errors import DrillError, RunbookError
from runbook_nb.record.site import MatrixCell
from runbook_nb.runbook.drill import Drill, SituationKind
from runbook_nb.runbook.lab import Lab
from runbook_nb.runbook.packs import find_fault, find_lab
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import letter


class Answer(StrEnum):
    """What a runbook made of a fault: right in the first three ways, else wrong."""

    OWN = "own"
    POINTS = "points to its owner"
    NOTHING = "nothing here"
    WRONG = "wrong"
    INCOMPLETE = "did not end"

    @property
    def is_right(self) -> bool:
        """Whether nobody is led astray."""
        return self not in (Answer.WRONG, Answer.INCOMPLETE)


def judge(runbook: Runbook, owners: Mapping[str, str | None], found: Mapping[str, Any]) -> Answer:
    """Tell what an answer is worth; ``owners`` are runbooks with the option that each must choose.

    A runbook that an owner's option names owns it too, with any option. An option that names an
    owner points to it. One without an action leads nobody to do harm.
    """
    option = found["option"]
    if not found["complete"]:
        return Answer.INCOMPLETE
    if runbook.name in owners:
        as_wanted = Answer.OWN if option else Answer.NOTHING
        return as_wanted if option == owners[runbook.name] else Answer.WRONG
    if option is None:
        return Answer.NOTHING
    named = {*owners}.union(*(words.split() for words in owners.values() if words))
    if runbook.name in named:
        return Answer.OWN
    if any(name in option.split() for name in named if "_" in name):
        return Answer.POINTS
    acts = any(step.verb == "act" and step.option == option for step in runbook.steps)
    return Answer.WRONG if acts else Answer.NOTHING


def owners_of(drills: Sequence[Drill]) -> dict[str, dict[str, str | None]]:
    """Return each fault and look-alike with its runbooks, and the option that each must choose."""
    owners: dict[str, dict[str, str | None]] = {}
    for drill in drills:
        if not drill.is_control:
            owners.setdefault(drill.fault, {})[drill.runbook] = drill.expectation.get("option")
            owners[drill.fault] = {**drill.also, **owners[drill.fault]}
        for situation in drill.situations:
            if situation.kind is SituationKind.LOOK_ALIKE:
                found = owners.setdefault(situation.fault, {})
                found[situation.runbook] = situation.expect["option"]
    return owners


def sampled(faults: Sequence[str], number: int | None, *, seed: int) -> list[str]:
    """Return the faults by name, so many of them drawn at random if a number is given."""
    if number is None or number >= len(faults):
        return sorted(faults)
    return sorted(random.Random(seed).sample(sorted(faults), number))  # noqa: S311 - no secret


def run_matrix(drills: Sequence[Drill], faults: Sequence[str]) -> Generator[MatrixCell, None, None]:
    """Inject each fault in turn, yield what every drilled runbook makes of it, and heal it.

    Closed early it heals as well. Raises DrillError where the lab is not healthy before a fault.
    """
    owners = owners_of(drills)
    with alone_on_lab():
        for fault in faults:
            lab = find_lab(fault=fault)
            if firing := list(lab.wait_until_quiet()):
                message = f"The lab is not healthy before {fault}: {', '.join(firing)}."
                raise DrillError(message)
            yield from _seen_by_all(drills, fault, owners[fault], lab=lab)


def _seen_by_all(
    drills: Sequence[Drill], fault: str, owners: Mapping[str, str | None], *, lab: Lab
) -> Iterator[MatrixCell]:
    injected = find_fault(lab, fault)
    drilled = {drill.fault for drill in drills}
    # The parameters of a runbook's first drill; of its own fault, those of that drill.
    usual = {drill.runbook: drill.arguments.get("parameters", {}) for drill in reversed(drills)}
    own = {drill.runbook: drill for drill in drills if drill.fault == fault}
    try:
        injected.inject()
        if fault in drilled:
            lab.wait_for_alerts()
        for name in sorted(usual):
            parameters = own[name].arguments.get("parameters", {}) if name in own else usual[name]
            yield _seen(Runbook.find(name), fault, owners, parameters=parameters)
    finally:
        injected.heal()


def _seen(
    runbook: Runbook, fault: str, owners: Mapping[str, str | None], *, parameters: Mapping[str, Any]
) -> MatrixCell:
    began = time.monotonic()
    try:
        found = {**diagnose(runbook, parameters=parameters), "complete": True}
    except RunbookError:
        found = {"option": None, "failed": (), "complete": False}
    answer = judge(runbook, owners, found)
    return MatrixCell(
        fault=fault,
        runbook=runbook.name,
        answer=str(answer),
        is_right=answer.is_right,
        option=found["option"],
        failed=tuple(found["failed"]),
        took_s=round(time.monotonic() - began, 1),
    )


def matrix_table(cells: Sequence[MatrixCell]) -> str:
    """Return faults by runbooks as text: the option's letter, ``→`` to its owner, or ``·``."""
    runbooks = sorted({cell.runbook for cell in cells})
    known = {(cell.fault, cell.runbook): cell for cell in cells}
    faults = sorted({cell.fault for cell in cells})
    rows = [("fault", *runbooks)]
    rows += [(fault, *(_shown(known.get((fault, name))) for name in runbooks)) for fault in faults]
    wrong = [cell for cell in cells if not cell.is_right]
    counted = f"{len(cells)} answers, {len(wrong)} wrong."
    return "\n".join([*in_columns(rows), counted, *map(matrix_line, wrong)])


def _shown(cell: MatrixCell | None) -> str:
    if cell is None:
        return ""
    option = letter(cell.option) if cell.option else ""
    shown = {
        Answer.OWN: option,
        Answer.POINTS: f"→ {option}",
        Answer.NOTHING: "·",
        Answer.WRONG: f"WRONG {option or 'none'}",
        Answer.INCOMPLETE: "DID NOT END",
    }
    return shown[Answer(cell.answer)]


def matrix_line(cell: MatrixCell) -> str:
    """Return what one runbook made of one fault, in a line."""
    failed = ", ".join(cell.failed) or "nothing failed"
    return (
        f"{cell.fault} seen by {cell.runbook}: {cell.answer}, {cell.option or 'no option'} "
        f"({failed}) in {cell.took_s:.0f} s"
    )
