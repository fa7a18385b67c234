"""Fields of a JSON document by a path such as ``data.items[0].state``.

A step is a name, ``[0]`` or ``[-1]`` for a place in a list, ``["a.b/c"]`` for a name with other
characters, and ``[type=Ready]`` for the one element of a list with that field.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.errors import NoAnswerError, ParameterError

_STEP: Final = re.compile(
    r"""(?:^|\.)(?P<name>[^.\[\]"=]+)
      | \[(?P<place>-?\d+)\]
      | \["(?P<quoted>[^"]+)"\]
      | \[(?P<key>[\w.-]+)=(?P<wanted>[^\]]+)\]""",
    re.VERBOSE,
)
_NAMES_SHOWN: Final = 12


class FieldMissingError(NoAnswerError):
    """The document has no such field, or null there."""


@dataclass(frozen=True, kw_only=True)
class PathStep:
    """One step of a path: a name, a place in a list, or the element with a field of that value."""

    text: str
    name: str = ""
    place: int | None = None
    key: str = ""
    wanted: str = ""


def steps(path: str) -> tuple[PathStep, ...]:
    """Return the steps of a path; raises ParameterError for what is none."""
    found, end = [], 0
    while end < len(path):
        match = _STEP.match(path, end)
        if match is None:
            message = (
                f"{path!r} is no path from {path[end:]!r} on; "
                'write it as data.items[0].state, ["a.b"] or [type=Ready].'
            )
            raise ParameterError(message)
        place = match["place"]
        found.append(
            PathStep(
                text=match[0],
                name=match["name"] or match["quoted"] or "",
                place=None if place is None else int(place),
                key=match["key"] or "",
                wanted=match["wanted"] or "",
            )
        )
        end = match.end()
    return tuple(found)


def field(document: Any, path: str) -> Any:
    """Return the field at a path, the whole document at an empty one.

    Raises FieldMissingError where there is none, or null, and NoAnswerError for a number that is
    none (NaN, infinity) and where several elements fit where one is expected.
    """
    found, walked = document, ""
    for step in steps(path):
        found = _at(found, step, walked)
        walked += step.text
    if found is None:
        message = f"The answer's {path or 'document'} is null."
        raise FieldMissingError(message)
    if isinstance(found, float) and not math.isfinite(found):
        message = f"The answer's {path} is {found}, which is no number to judge."
        raise NoAnswerError(message)
    return found


def parse(text: str, *, of: str) -> Any:
    """Return the JSON document of a text; raises NoAnswerError, with how the text begins."""
    try:
        return json.loads(text)
    except ValueError:
        raise NoAnswerError(f"{of} is not JSON. It begins: {beginning(text)}") from None


def beginning(text: str) -> str:
    """Return how a text begins, in one line."""
    return repr(" ".join(re.sub(r"<[^>]*>", " ", text[:2000]).split())[:120])


def _at(found: Any, step: PathStep, walked: str) -> Any:
    if step.key:
        return _element(found, step, walked)
    if step.place is not None and isinstance(found, list):
        if -len(found) <= step.place < len(found):
            return found[step.place]
        message = f"{_where(walked)} has {len(found)} elements, and none at {step.text}."
        raise FieldMissingError(message)
    if step.place is None and isinstance(found, dict):
        if step.name in found:
            return found[step.name]
        names = ", ".join(list(found)[:_NAMES_SHOWN]) or "nothing"
        message = f"{_where(walked)} has no {step.name!r}; it has {names}."
        raise FieldMissingError(message)
    message = f"{_where(walked)} is {_kind(found)}, so it has no {step.text.lstrip('.')!r}."
    raise FieldMissingError(message)


def _element(found: Any, step: PathStep, walked: str) -> Any:
    fitting = list(_fitting(found, step))
    if len(fitting) > 1:
        message = f"{_where(walked)} has {len(fitting)} elements {step.text} where one is expected."
        raise NoAnswerError(message)
    if not fitting:
        message = f"{_where(walked)} has no element {step.text}."
        raise FieldMissingError(message)
    return fitting[0]


def _fitting(found: Any, step: PathStep) -> Iterator[Any]:
    for element in found if isinstance(found, list) else []:
        value = element.get(step.key) if isinstance(element, dict) else None
        if value is not None and as_text(value) == step.wanted:
            yield element


def as_text(value: Any) -> str:
    """Return a value as JSON writes it, words without quotes."""
    return value if isinstance(value, str) else json.dumps(value)


def _where(walked: str) -> str:
    return f"The answer's {walked}" if walked else "The answer"


def _kind(found: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", type(None): "null", bool: "a boolean"}
    return kinds.get(type(found), "a number")
