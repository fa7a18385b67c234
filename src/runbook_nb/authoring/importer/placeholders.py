"""Placeholders in commands, such as ``<pod-name>`` and ``$NAMESPACE``, as typed parameters."""

import keyword
import re
from collections.abc import Iterable, Iterator
from typing import Final

from runbook_nb.authoring.importer.commands import Command
from runbook_nb.runbook.parameters import Parameter

_ANGLE = re.compile(r"(?<![<\w])<(?![/!\s])([A-Za-z][\w .:-]{0,40}?)(?<!\s)>(?!>)")
_DOLLAR = re.compile(r"(?<![\\$\w'])\$(?:\{([A-Za-z_]\w{0,40})[^}]{0,40}\}|([A-Za-z_]\w{0,40}))")
_SQUARE = re.compile(r"(?<=[\s=/])\[([A-Za-z]{2}[A-Za-z _-]{1,40})\](?=[\s/]|$)")
_BRACES = re.compile(r"\{\{\s*\.?([A-Za-z_][\w.-]{0,40})\s*\}\}")
_ASSIGNED = re.compile(
    r"(?:^|[;\s(])(?:export\s+|local\s+|declare\s+|set\s+-gx?\s+)?\$?([A-Za-z_]\w*)\s?=(?!=)|"
    r"\bfor\s+(\w+)\s+in\b|\bread\s+(?:-\w+\s+)*(\w+)",
    re.MULTILINE,
)
_TAGS: Final = frozenset(
    [
        "a",
        "b",
        "br",
        "div",
        "span",
        "p",
        "pre",
        "code",
        "html",
        "body",
        "head",
        "table",
        "tr",
        "td",
        "th",
        "ul",
        "li",
        "eof",
    ]
)
# The shell fills these in by itself, and a program its own fields.
_GIVEN: Final = frozenset(
    [
        "HOME",
        "PATH",
        "USER",
        "PWD",
        "SHELL",
        "RANDOM",
        "HOSTNAME",
        "LANG",
        "TERM",
        "UID",
        "EUID",
        "OLDPWD",
        "IFS",
        "LINENO",
        "SECONDS",
        "PPID",
        "NF",
        "NR",
        "FS",
        "OFS",
        "BASH_SOURCE",
        "EDITOR",
        "TMPDIR",
        "LOGNAME",
        "true",
        "false",
        "null",
    ]
)
_TAKEN: Final = frozenset(("incident_id", "incident", "Incident"))
# What a name tells about its value: type, default, lowest, highest, unit.
_KINDS: Final = (
    (re.compile(r"(?:^|_)port$"), (443, 1, 65_535, "")),
    (re.compile(r"(?:^|_)(?:percent|percentage|pct)$"), (0, 0, 100, "%")),
    (re.compile(r"(?:^|_)(?:seconds|secs|timeout|timeout_s)$"), (60, 0, 86_400, "s")),
    (re.compile(r"(?:^|_)(?:minutes|mins)$"), (15, 0, 1_440, "min")),
    (re.compile(r"(?:^|_)(?:hours)$"), (1, 0, 720, "h")),
    (re.compile(r"(?:^|_)(?:days)$"), (1, 0, 365, "d")),
    (
        re.compile(
            r"(?:^|_)(?:count|replicas|number|num|n|limit|size|pid|max|min|threshold|retries)$"
        ),
        (1, 0, 1_000_000, ""),
    ),
)


def parameters(typed: Iterable[Command]) -> list[Parameter]:
    """Return one parameter for each placeholder, in the order in which they first appear.

    Its type and range are guessed from its name; its default is the author's to fill in.
    """
    found: dict[str, Parameter] = {}
    for command in typed:
        text = "\n".join(command.lines)
        for shown, inner in placeholders(text):
            name = parameter_name(inner)
            if name and name != "environment" and name not in found:
                found[name] = _parameter(name, shown, command.line)
    return list(found.values())


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Return each placeholder as it is written, with its name."""
    assigned = {name for match in _ASSIGNED.finditer(text) for name in match.groups() if name}
    for pattern in (_ANGLE, _DOLLAR, _SQUARE, _BRACES):
        for match in pattern.finditer(text):
            inner = next(filter(None, match.groups()))
            if inner.lower() in _TAGS or (pattern is _DOLLAR and inner in _GIVEN | assigned):
                continue
            yield match[0], inner


def parameter_name(inner: str) -> str:
    """Return the name of the parameter for a placeholder; empty where it gives none."""
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", inner).lower())
    name = words.strip("_")[:40].rstrip("_")
    if name and (keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in _TAKEN):
        return f"{name}_value"
    return name


def _parameter(name: str, shown: str, line: int) -> Parameter:
    said = f"Fill in: what it is; {' '.join(shown.split())} in line {line} of the source"
    for pattern, (default, low, high, unit) in _KINDS:
        if pattern.search(name):
            return Parameter(
                name=name, type="int", default=default, low=low, high=high, unit=unit, help=said
            )
    return Parameter(name=name, type="str", default="", help=said)
