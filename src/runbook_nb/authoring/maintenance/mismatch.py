"""What a failed drill lacks: which check, option or action, what was expected and found."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from runbook_nb.authoring.drills import DrillResult

_VERDICTS: Final = {"failed": "fail", "warned": "warn", "unknown": "unknown"}
_OTHERS: Final = {"option": "option chosen", "done": "actions done", "resolved": "resolved"}
# A verdict is listed only where it is not pass; in a run that broke off, it may never have run.
_CALM, _UNREAD = "pass", "no verdict, or pass"


@dataclass(frozen=True, kw_only=True)
class Shortfall:
    """One thing that a drill expected and did not find; ``what`` names it in words."""

    drill: str
    what: str
    expected: str
    found: str

    @property
    def said(self) -> str:
        """The shortfall as one line."""
        return f"{self.drill}: {self.what}: expected {self.expected}, found {self.found}"

    def facts(self) -> dict[str, str]:
        """Return the shortfall as JSON."""
        return asdict(self)


def shortfalls(result: DrillResult) -> list[Shortfall]:
    """Return what a drill lacks; none when it passed, its problem where nothing else tells."""
    if result.passed:
        return []
    found = result.found or {}
    lacks = [
        Shortfall(drill=result.drill.name, what=what, expected=expected, found=said)
        for what, expected, said in _differences(result.drill.expectation, found)
    ]
    return lacks or [
        Shortfall(
            drill=result.drill.name, what="the drill", expected="it passes", found=result.problem
        )
    ]


def _differences(
    expect: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    """Return name, expectation and finding of each check, and of what followed, that differs."""
    if not found:
        return
    calm = _CALM if found.get("complete") else _UNREAD
    wanted, read = _verdicts(expect), _verdicts(found)
    for check in dict.fromkeys([*wanted, *read]):
        if wanted.get(check) != read.get(check):
            yield f"check {check!r}", wanted.get(check, _CALM), read.get(check, calm)
    for key, name in _OTHERS.items():
        if key in expect and expect[key] != found.get(key):
            yield name, _said(expect[key]), _said(found.get(key))
    if found.get("complete") is False:
        yield "the run", "runs to its end", "it broke off"


def _verdicts(lists: Mapping[str, Any]) -> dict[str, str]:
    return {title: said for key, said in _VERDICTS.items() for title in lists.get(key) or ()}


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
