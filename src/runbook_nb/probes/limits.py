"""Limits: the condition an answer must meet, and the verdict that follows."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from runbook_nb.text.values import Json
from runbook_nb.timeline.events import Evidence, Verdict

# Factors to seconds; answers and limits may differ in the size of the unit, not in its kind.
_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A condition with its words, such as ``at most 5 s``."""

    words: str
    unit: str = ""
    holds: Callable[[Json], bool] = field(repr=False, compare=False)

    def __str__(self) -> str:
        """Say the condition."""
        return self.words

    def met_by(self, answer: Json, unit: str) -> bool:
        """Tell whether an answer in ``unit`` meets the limit; raises TypeError if they differ."""
        return self.holds(_converted(answer, unit, self.unit))


def at_most(bound: float, unit: str = "") -> Limit:
    """Hold for numbers up to and including ``bound``."""
    return _numeric(f"at most {bound:g} {unit}", unit, lambda number: number <= bound)


def at_least(bound: float, unit: str = "") -> Limit:
    """Hold for numbers from ``bound`` on."""
    return _numeric(f"at least {bound:g} {unit}", unit, lambda number: number >= bound)


def above(bound: float, unit: str = "") -> Limit:
    """Hold for numbers greater than ``bound``."""
    return _numeric(f"above {bound:g} {unit}", unit, lambda number: number > bound)


def below(bound: float, unit: str = "") -> Limit:
    """Hold for numbers smaller than ``bound``."""
    return _numeric(f"below {bound:g} {unit}", unit, lambda number: number < bound)


def between(low: float, high: float, unit: str = "") -> Limit:
    """Hold for numbers from ``low`` to ``high``, both included."""
    return _numeric(f"{low:g} to {high:g} {unit}", unit, lambda number: low <= number <= high)


def equals(value: Json, unit: str = "") -> Limit:
    """Hold for exactly ``value``."""
    said = f"{value:g}" if isinstance(value, int | float) else str(value)

    def holds(answer: Json) -> bool:
        if isinstance(value, bool) != isinstance(answer, bool):
            message = f"expected {said}, the answer is {answer!r}"
            raise TypeError(message)
        return bool(answer == value if isinstance(value, bool) else _comparable(answer) == value)

    return Limit(words=f"{said} {unit}".strip(), unit=unit, holds=holds)


def one_of(*values: str) -> Limit:
    """Hold for any of the words."""

    def holds(answer: Json) -> bool:
        if not isinstance(answer, str):
            message = f"expected one of these words, the answer is {answer!r}"
            raise TypeError(message)
        return answer in values

    return Limit(words=" or ".join(values), holds=holds)


def empty() -> Limit:
    """Hold for a list without rows."""

    def holds(answer: Json) -> bool:
        if not isinstance(answer, list | tuple):
            message = f"expected rows, the answer is {type(answer).__name__}"
            raise TypeError(message)
        return not answer

    return Limit(words="no rows", holds=holds)


def bounds(words: str, unit: str) -> list[float]:
    """Return the numbers that a limit's words name, in the unit of the answers held against it."""
    *_, wanted = f" {words}".rsplit(" ", 1)
    size = 1.0
    if unit != wanted and unit in _SECONDS and wanted in _SECONDS:
        size = _SECONDS[wanted] / _SECONDS[unit]
    return [float(number) * size for number in _NUMBER.findall(words)]


def judge(evidence: Evidence, *, expect: Limit, fail: Limit | None) -> tuple[Verdict, str]:
    """Return the verdict on a reading, and the reason where it is unknown.

    Between ``expect`` and ``fail`` lies warn. Without ``fail``, what is not expected is fail.
    """
    if evidence.reason:
        return Verdict.UNKNOWN, evidence.reason
    try:
        if expect.met_by(evidence.answer, evidence.unit):
            return Verdict.PASS, ""
        if fail is None or fail.met_by(evidence.answer, evidence.unit):
            return Verdict.FAIL, ""
    except TypeError as error:
        return Verdict.UNKNOWN, f"The answer cannot be judged: {error}."
    return Verdict.WARN, ""


def _numeric(said: str, unit: str, test: Callable[[float], bool]) -> Limit:
    def holds(answer: Json) -> bool:
        if isinstance(answer, bool) or not isinstance(answer, int | float):
            message = f"expected a number, the answer is {answer!r}"
            raise TypeError(message)
        return test(_comparable(answer))

    return Limit(words=said.strip(), unit=unit, holds=holds)


def _comparable(answer: Json) -> Json:
    """Return an answer that can be compared; raises TypeError for NaN and what has no end."""
    if isinstance(answer, float) and not math.isfinite(answer):
        message = f"the answer is {answer}, which is no number to compare"
        raise TypeError(message)
    return answer


def _converted(answer: Json, unit: str, wanted: str) -> Json:
    """Return the answer in the wanted unit; raises TypeError where the kinds differ."""
    if unit == wanted or not wanted:
        return answer
    if unit in _SECONDS and wanted in _SECONDS and isinstance(answer, int | float):
        return answer * _SECONDS[unit] / _SECONDS[wanted]
    message = f"the limit is in {wanted!r}, the answer in {unit!r}"
    raise TypeError(message)
