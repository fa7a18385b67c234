"""The steps of a notebook: one verb with literals under one heading, read without running it."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.errors import RunbookFormatError

VERBS: Final = ("check", "decide", "act", "verify", "undo", "ask", "note", "stop")
SECTIONS: Final = (
    "Symptoms",
    "Immediate Actions",
    "Diagnosis",
    "Resolution Steps",
    "Verification",
    "Post-Incident",
    "Related Runbooks",
    "Contacts",
    "Validation Log",
)
_SECTION_LEVEL, _STEP_LEVEL = 2, 3
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"^Option [A-Z]\b")


def letter(option: str) -> str:
    """Return the letter of an option's heading: ``A`` of ``Option A: Restart the agent``."""
    return option.removeprefix("Option ").partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One verb under one heading.

    ``call`` is the source of its probe or action, ``words`` its literal arguments by name,
    ``source`` the text of its cell and ``cell`` the index of that in the notebook. ``option`` is
    the option it belongs to.
    """

    verb: str
    title: str
    section: str
    heading: str
    option: str
    call: str
    words: Mapping[str, Any]
    cell: int
    source: str = ""


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


def headings(markdown: str) -> list[tuple[int, str]]:
    """Return level and text of each heading, fenced blocks left out."""
    prose = _FENCE.sub("", markdown)
    return [(len(match[1]), match[2]) for match in _HEADING.finditer(prose)]


def read_steps(cells: Iterable[Mapping[str, Any]]) -> tuple[list[Step], list[str]]:
    """Return the steps and all headings of a notebook's cells, in order."""
    steps: list[Step] = []
    seen: list[str] = []
    section = heading = option = ""
    for index, cell in enumerate(cells):
        source = source_of(cell)
        if cell["cell_type"] == "markdown":
            for level, text in headings(source):
                seen.append(text)
                heading = text
                section = text if level == _SECTION_LEVEL else section
                if level <= _STEP_LEVEL:
                    option = text if _OPTION.match(text) else ""
        elif cell["cell_type"] == "code" and (found := _verb(source)) is not None:
            verb, call = found
            steps.append(_step(verb, call, source, (section, heading, option), index))
    return steps, seen


def read_parameters(source: str, ranges: Mapping[str, Mapping[str, Any]]) -> list[Parameter]:
    """Return the parameters of the tagged cell: annotated literals, with the comment as help.

    ``ranges`` come from the front matter: ``min``, ``max``, ``one_of`` and ``unit`` by name.
    Raises RunbookFormatError for anything else than an annotated literal.
    """
    comments = _comments(source)
    return [
        _parameter(node, comments.get(node.lineno, ""), ranges) for node in ast.parse(source).body
    ]


def source_of(cell: Mapping[str, Any]) -> str:
    """Return a cell's source as one text, as nbformat stores it in either form."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _verb(source: str) -> tuple[str, ast.Call] | None:
    """Return verb and call of a cell that is one ``incident.<verb>(…)``."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        return None
    call = body[0].value
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    owner = call.func.value
    if not isinstance(owner, ast.Name) or owner.id != "incident" or call.func.attr not in VERBS:
        return None
    return call.func.attr, call


def _step(verb: str, call: ast.Call, source: str, place: tuple[str, str, str], cell: int) -> Step:
    section, heading, option = place
    words = {
        argument.arg: _literal_or_source(argument.value, source)
        for argument in call.keywords
        if argument.arg
    }
    first = _literal_or_source(call.args[0], source) if call.args else ""
    target = ast.get_source_segment(source, call.args[1]) if len(call.args) > 1 else ""
    return Step(
        verb=verb,
        title=str(first or heading),
        section=section,
        heading=heading,
        option=option,
        call=" ".join((target or "").split()),
        words=words,
        cell=cell,
        source=source,
    )


def _literal_or_source(node: ast.expr, source: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return " ".join((ast.get_source_segment(source, node) or "").split())


def _parameter(node: ast.stmt, comment: str, ranges: Mapping[str, Mapping[str, Any]]) -> Parameter:
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
    limits = ranges.get(name, {})
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
