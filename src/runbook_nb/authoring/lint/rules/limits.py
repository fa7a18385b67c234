"""Rules about limits and durations: what makes an answer a verdict."""

import ast
from collections.abc import Iterator
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.authoring.lint.step_calls import called, is_duration
from runbook_nb.probes import limits
from runbook_nb.probes.calls import Action, Probe

# Where the unit of a limit stands among its arguments; the others take none.
_UNIT_AT: Final = {"at_most": 1, "at_least": 1, "above": 1, "below": 1, "equals": 1, "between": 2}
_UP, _DOWN = ("at_most", "below"), ("at_least", "above")


@rule(
    "limit",
    reason="Without a limit in the probe's unit nothing can be judged; the verdict is unknown.",
    fix='Write expect=at_most(5, "s") or another limit of runbook_nb, in the unit of the probe.',
)
def limit(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Expect a limit in each check, in the unit of its probe; so for its fail."""
    for placed in page.of("check"):
        probe = next((one.made for one in called(placed, page, shelf)), None)
        for name in ("expect", "fail"):
            node = placed.argument(name)
            if node is not None and (message := _wrong_limit(node, probe)):
                yield Flaw(line=placed.line_of(name), message=f"`{name}` {message}")


@rule(
    "limits-agree",
    reason="A fail limit inside what is expected never fails.",
    fix="Let `fail` begin where `expect` ends, or beyond.",
)
def limits_agree(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Let the fail limit lie beyond the expected one."""
    for placed in page.of("check"):
        expect, fail = _bound(placed.argument("expect")), _bound(placed.argument("fail"))
        if expect is None or fail is None or expect[2] != fail[2]:
            continue
        grows = expect[0] in _UP and fail[0] in _DOWN and fail[1] >= expect[1]
        sinks = expect[0] in _DOWN and fail[0] in _UP and fail[1] <= expect[1]
        if not grows and not sinks:
            message = f"`{ast.unparse(placed.argument('fail') or placed.call)}` is not beyond it."
            yield Flaw(line=placed.line_of("fail"), message=message)


@rule(
    "duration",
    reason="A number has no unit; 15 may be seconds or minutes.",
    fix="Write seconds(…), minutes(…) or hours(…) of a number or a parameter.",
)
def duration(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Wait for a duration in each verification, keep a reading for one, and read at least once."""
    for placed in page.of("check"):
        node = placed.argument("fresh")
        if node is not None and not is_duration(node):
            yield Flaw(line=placed.line_of("fresh"), message="`fresh` is no duration.")
    for placed in page.of("verify"):
        node = placed.argument("within")
        if node is not None and not is_duration(node):
            yield Flaw(line=placed.line_of("within"), message="`within` is no duration.")
        readings = placed.step.words.get("readings", 1)
        if isinstance(readings, str) or readings < 1:
            yield Flaw(line=placed.line_of("readings"), message="`readings` is not 1 or more.")


def _wrong_limit(node: ast.expr, probe: Probe | Action | None) -> str:
    name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
    if name not in (*_UNIT_AT, "one_of", "empty"):
        return f"is `{ast.unparse(node)}`, which is no limit of runbook_nb."
    if not isinstance(probe, Probe) or name not in _UNIT_AT or not isinstance(node, ast.Call):
        return ""
    unit = _unit(node, _UNIT_AT[name])
    if probe.unit and not unit:
        return f"has no unit; {probe.name} answers in {probe.unit!r}."
    try:
        limits.at_most(1, unit).met_by(1, probe.unit)
    except TypeError:
        return f"is in {unit!r}; {probe.name} answers in {probe.unit!r}."
    return ""


def _unit(call: ast.Call, place: int) -> str:
    named = next((word.value for word in call.keywords if word.arg == "unit"), None)
    node = call.args[place] if len(call.args) > place else named
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _bound(node: ast.expr | None) -> tuple[str, float, str] | None:
    """Return name, bound and unit of a limit on one side; None for any other."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) not in (*_UP, *_DOWN):
        return None
    first = node.args[0] if node.args else None
    value = first.value if isinstance(first, ast.Constant) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return ast.unparse(node.func), value, _unit(node, 1)
