"""Validate a runbook: its control and all its drills; only if all pass it counts as proven."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runbook_nb.authoring.drills import DrillResult, find_drills
from runbook_nb.authoring.maintenance.journal import write_journal
from runbook_nb.authoring.maintenance.mismatch import Shortfall, shortfalls
from runbook_nb.errors import DrillError, ParameterError, RunbookError
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.catalog.entry import Entry, live
from runbook_nb.runbook.drill import Drill
from runbook_nb.runbook.pair import changed, out_of_date
from runbook_nb.runbook.runbook import ARCHIVED, Runbook
from runbook_nb.text.files import write_all

PASSED: Final = "passed"
# How many runbooks `--due` validates in one call: the rest comes with the next one.
AT_MOST: Final = 3
RunDrill = Callable[[Drill], DrillResult]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What control and drills showed about one runbook, on which day, where."""

    runbook: str
    at: datetime
    environment: str
    results: tuple[DrillResult, ...]
    lacks: tuple[Shortfall, ...]
    notes: str
    journal: Path

    @property
    def passed(self) -> bool:
        """Whether every drill passed, and the runbook is the one that was drilled."""
        return not self.lacks

    def facts(self) -> dict[str, Any]:
        """Return the validation as JSON."""
        return {
            "runbook": self.runbook,
            "at": self.at.isoformat(),
            "environment": self.environment,
            "passed": self.passed,
            "drills": [result.facts() for result in self.results],
            "lacks": [lack.facts() for lack in self.lacks],
            "notes": self.notes,
            "journal": str(self.journal),
        }


def due(entries: Sequence[Entry], *, at_most: int = AT_MOST) -> list[Entry]:
    """Return the runbooks past their review period, the oldest first, never validated before all.

    ``at_most`` staggers them: what became due on one day does not stay due on one day.
    """
    waiting = [entry for entry in live(entries) if entry.freshness.is_due]
    waiting.sort(key=lambda entry: (str(entry.freshness.validated or ""), entry.name))
    return waiting[:at_most]


def chosen(
    entries: Sequence[Entry], *, name: str | None, only_due: bool, at_most: int = AT_MOST
) -> list[str]:
    """Return the names to validate: the one that is named, those that are due, or all.

    Raises ParameterError for both at once, and RunbookNotFoundError for a name that is none.
    """
    if name and only_due:
        message = "Name a runbook, or give --due, not both."
        raise ParameterError(message)
    if name:
        return [Runbook.find(name).name]
    return [entry.name for entry in (due(entries, at_most=at_most) if only_due else live(entries))]


class Validator:
    """Validates runbooks by their drills.

    ``run_drill`` runs one drill on the running lab; ``validator`` is who stands for it in the log,
    ``commit`` says which state of the project was drilled.
    """

    def __init__(
        self,
        *,
        incidents: Path,
        run_drill: RunDrill,
        validator: str,
        commit: str,
        redactor: Callable[[], Redactor] = Redactor,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._incidents, self._run_drill, self._redactor = incidents, run_drill, redactor
        self._validator, self._commit = validator, commit
        self._now, self._say = now, say

    def validate(self, name: str) -> Validation:
        """Run control and drills of a runbook; renew its header and log only if all pass.

        Raises DrillError, before anything runs, for a runbook that cannot be validated.
        """
        runbook = Runbook.find(name)
        drills = _drills(runbook)
        texts = _texts(runbook, drills)
        at = self._now()
        results = tuple(self._drilled(drill) for drill in drills)
        lacks = [lack for result in results for lack in shortfalls(result)]
        if not lacks and _texts(runbook, drills) != texts:
            lacks.append(_changed_meanwhile(name))
        validation = Validation(
            runbook=name,
            at=at,
            environment=", ".join(dict.fromkeys(map(_environment, drills))),
            results=results,
            lacks=tuple(lacks),
            notes=self._notes(results),
            journal=self._write_journal(runbook, at, results, lacks),
        )
        if validation.passed:
            self._prove(runbook, validation)
        return validation

    def _drilled(self, drill: Drill) -> DrillResult:
        """Run one drill; one that cannot be run has not passed, and the others go on."""
        try:
            result = self._run_drill(drill)
        except (RunbookError, OSError, ValueError, KeyError) as error:
            result = DrillResult(drill=drill, problem=f"{error}", took_s=0.0)
        if result.interrupted:
            # Chaos Toolkit heals and keeps the interruption to itself; the user meant all of it.
            raise KeyboardInterrupt
        said = "passed" if result.passed else "FAILED"
        self._say(f"{said:6} {drill.name} in {result.took_s:.1f} s")
        return result

    def _notes(self, results: Sequence[DrillResult]) -> str:
        took = sum(result.took_s for result in results)
        faults = sum(not result.drill.is_control for result in results)
        said = "1 fault" if faults == 1 else f"{faults} faults"
        return f"control and {said} in {took:.0f} s, {self._commit}"

    def _write_journal(
        self,
        runbook: Runbook,
        at: datetime,
        results: Sequence[DrillResult],
        lacks: Sequence[Shortfall],
    ) -> Path:
        facts = {
            "runbook": runbook.name,
            "runbook_digest": runbook.digest,
            "at": at,
            "validator": self._validator,
            "project": self._commit,
            "passed": not lacks,
            "lacks": [lack.facts() for lack in lacks],
            "drills": [{**result.facts(), "journal": result.journal} for result in results],
        }
        return write_journal(
            self._incidents, runbook=runbook.name, at=at, facts=facts, redactor=self._redactor()
        )

    def _prove(self, runbook: Runbook, validation: Validation) -> None:
        row = {
            "date": f"{validation.at:%Y-%m-%d}",
            "validator": self._validator,
            "environment": validation.environment,
            "result": PASSED,
            "notes": validation.notes,
        }

        def renew(front: dict[str, Any], _cells: list[Any]) -> None:
            front["last_validated"] = row["date"]
            front["validations"] = [*(front.get("validations") or ()), _cell_safe(row)]

        write_all(changed(runbook.path.with_suffix(".md"), renew))


def _drills(runbook: Runbook) -> list[Drill]:
    """Return the drills, the control first; raises DrillError if they would prove nothing."""
    if runbook.path.parent.name == ARCHIVED:
        message = f"{runbook.name} is retired; what is retired is not validated."
        raise DrillError(message)
    if stale := out_of_date(runbook.path.with_suffix(".md")):
        names = ", ".join(file.name for file in stale)
        message = f"{runbook.name}: {names} is out of date. Run: runbook fmt {runbook.name}"
        raise DrillError(message)
    drills = sorted(find_drills(runbook.name), key=lambda drill: not drill.is_control)
    if not drills[0].is_control or len(drills) == 1:
        lacking = "drill with a fault" if drills[0].is_control else "control drill"
        message = f"{runbook.name} has no {lacking}, so nothing would be proven. Write one."
        raise DrillError(message)
    return drills


def _texts(runbook: Runbook, drills: Sequence[Drill]) -> dict[Path, str]:
    """Return the files that the proof is about: the pair and its drills."""
    files = [runbook.path, runbook.path.with_suffix(".md"), *(drill.path for drill in drills)]
    return {file: file.read_text(encoding="utf-8") for file in files if file.is_file()}


def _changed_meanwhile(name: str) -> Shortfall:
    return Shortfall(
        drill=name,
        what="the runbook or a drill",
        expected="the text that was drilled",
        found="it was changed meanwhile; validate again",
    )


def _environment(drill: Drill) -> str:
    return str((drill.arguments.get("parameters") or {}).get("environment", "lab"))


def _cell_safe(row: Mapping[str, str]) -> dict[str, str]:
    """Return a row whose texts fit into one line of a table."""
    return {name: " ".join(text.replace("|", "/").split()) for name, text in row.items()}
