"""Parameters: what a runbook declares, and the values of a run in the types of that.

Papermill pastes parameter names, and values that are not plain JSON, into a cell as code. So a
name must be one the runbook declares, and a value leaves here only as text, number or yes and no.
"""

import ast
import io
import math
import re
import tokenize
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from runbook_nb.errors import ParameterError, RunbookFormatError, near
from runbook_nb.runbook.cells import Cell
from runbook_nb.text.values import Json

if TYPE_CHECKING:
    from runbook_nb.runbook.runbook import Runbook

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


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of a runbook: its type by name, default, range in ``unit``, and help."""

    name: str
    type: str
    default: Any
    low: float | None = None
    high: float | None = None
    one_of: tuple[str, ...] = ()
    unit: str = ""
    help: str = ""


def read_parameters(cells: Iterable[Cell], ranges: object) -> list[Parameter]:
    """Return the parameters of the tagged cell: annotated literals, with the comment as help.

    ``ranges`` come from the front matter: ``min``, ``max``, ``one_of`` and ``unit`` by name.
    Raises RunbookFormatError for anything else than an annotated literal.
    """
    tagged = next((cell for cell in cells if cell.is_code and "parameters" in cell.tags), None)
    if tagged is None:
        return []
    given = ranges if isinstance(ranges, Mapping) else {}
    try:
        if isinstance(tagged.tree, SyntaxError):
            raise tagged.tree
        comments = _comments(tagged.source)
        return [_declared(node, comments.get(node.lineno, ""), given) for node in tagged.statements]
    except (SyntaxError, ValueError, TypeError, tokenize.TokenError) as error:
        message = f"The parameters cell cannot be read: {error}."
        raise RunbookFormatError(message) from error


def typed(runbook: "Runbook", given: Mapping[str, Json]) -> dict[str, Json]:
    """Return all parameters of a runbook: those given, in their declared types, and defaults.

    Raises one ParameterError that names every wrong parameter, what was given and what is allowed.
    """
    known = {parameter.name: parameter for parameter in runbook.parameters}
    wrong = [_unknown(name, runbook) for name in given if name not in known]
    values: dict[str, Json] = {}
    for name, parameter in known.items():
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


def _declared(node: ast.stmt, comment: str, ranges: Mapping[str, Any]) -> Parameter:
    if not (
        isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.value is not None
    ):
        message = (
            f"Parameters cell, line {node.lineno}: `{ast.unparse(node)}` is not of the form "
            "`name: type = default`. Annotate it and give it a literal default."
        )
        raise RunbookFormatError(message)
    name = node.target.id
    found = ranges.get(name)
    limits = found if isinstance(found, Mapping) else {}
    return Parameter(
        name=name,
        type=ast.unparse(node.annotation),
        default=ast.literal_eval(node.value),
        low=limits.get("min"),
        high=limits.get("max"),
        one_of=tuple(limits.get("one_of", ())),
        unit=limits.get("unit", ""),
        help=comment,
    )


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _unknown(name: str, runbook: "Runbook") -> str:
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
