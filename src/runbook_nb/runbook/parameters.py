"""Parameters of a run: texts and values become the types that the runbook declares.

Papermill pastes parameter names, and values that are not plain JSON, into a cell as code. So a
name must be one the runbook declares, and a value leaves here only as text, number or yes and no.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from runbook_nb.errors import ParameterError, near
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import Parameter
from runbook_nb.text.values import Json

# ASCII digits only: Python would also read "1_000" and the digits of any script.
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_TRUTHS: Final = {"true": True, "yes": True, "false": False, "no": False}
_TYPES: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false (yes or no)",
}
_SHOWN: Final = 80  # characters of a wrong value in a message


def typed(runbook: Runbook, given: Mapping[str, Json]) -> dict[str, Json]:
    """Return all parameters of a runbook: those given, in their declared types, and defaults.

    Raises one ParameterError that names every wrong parameter, what was given and what is allowed.
    """
    declared = {parameter.name: parameter for parameter in runbook.parameters}
    wrong = [_unknown(name, runbook) for name in given if name not in declared]
    values: dict[str, Json] = {}
    for name, parameter in declared.items():
        try:
            default = name not in given
            values[name] = _default(parameter) if default else _value(parameter, given[name])
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ParameterError(" ".join(wrong))
    return values


def allowed(parameter: Parameter) -> str:
    """Say which values a parameter takes: ``a whole number from 1 to 60 min``."""
    if parameter.one_of:
        return f"one of {', '.join(map(str, parameter.one_of))}"
    kind = _TYPES.get(parameter.type, parameter.type)
    unit = f" {parameter.unit}" if parameter.unit else ""
    match parameter.low, parameter.high:
        case None, None:
            return f"{kind}{f' in{unit}' if unit else ''}"
        case low, None:
            return f"{kind} of at least {low:g}{unit}"
        case None, high:
            return f"{kind} of at most {high:g}{unit}"
        case low, high:
            return f"{kind} from {low:g} to {high:g}{unit}"


def _unknown(name: str, runbook: Runbook) -> str:
    known = (parameter.name for parameter in runbook.parameters)
    return f"{runbook.name} has no parameter {_shown(name)}. {near(name, known)}"


def _value(parameter: Parameter, given: Json) -> Json:
    """Return a given value in its type; raises ValueError with the sentence for the user."""
    convert = _CONVERSIONS.get(parameter.type)
    if convert is None:
        message = f"Parameter {parameter.name!r} is declared as {parameter.type}, which is unknown."
        raise ValueError(message)
    try:
        value = convert(given)
        if not _within(parameter, value):
            raise ValueError
    except ValueError:
        message = (
            f"Parameter {parameter.name!r} cannot be {_shown(given)}: "
            f"it must be {allowed(parameter)}."
        )
        raise ValueError(message) from None
    return value


def _default(parameter: Parameter) -> Json:
    """Return the default; its range is the author's affair, but it must be plain."""
    if type(parameter.default) in (str, int, float, bool, type(None)):
        return parameter.default
    message = f"Parameter {parameter.name!r} has a default that is not a plain value: fix the cell."
    raise ValueError(message)


def _within(parameter: Parameter, value: Json) -> bool:
    if parameter.one_of and str(value) not in map(str, parameter.one_of):
        return False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    low = -math.inf if parameter.low is None else parameter.low
    high = math.inf if parameter.high is None else parameter.high
    return low <= value <= high


def _integer(given: Json) -> int:
    if type(given) is int:
        return given
    if isinstance(given, str) and _INTEGER.fullmatch(given.strip()):
        return int(given)
    raise ValueError


def _number(given: Json) -> float:
    if isinstance(given, str) and _NUMBER.fullmatch(given.strip()):
        given = float(given)
    if type(given) not in (int, float) or not math.isfinite(given):
        raise ValueError
    return float(given)


def _text(given: Json) -> str:
    if not isinstance(given, str):
        raise ValueError  # noqa: TRY004 - the caller says it in the user's words
    given.encode()  # a byte that is no text, from a command line, cannot be saved
    return str(given)


def _truth(given: Json) -> bool:
    if isinstance(given, str):
        given = _TRUTHS.get(given.strip().lower())
    if not isinstance(given, bool):
        raise ValueError  # noqa: TRY004 - the caller says it in the user's words
    return given


_CONVERSIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "int": _integer,
    "float": _number,
    "str": _text,
    "bool": _truth,
}


def _shown(given: Json) -> str:
    said = ascii(given)
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"
