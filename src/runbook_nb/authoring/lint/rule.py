"""What a rule is: a function that finds flaws in one runbook, with its name, reason and fix."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.page import RunbookPage


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """A place where a rule is broken; ``line`` counts from 1.

    ``fix`` and ``severity`` stand in for the rule's, ``path`` for the page's.
    """

    line: int
    message: str
    fix: str = ""
    path: Path | None = None
    severity: Severity | None = None


Find = Callable[[RunbookPage, Shelf], Iterator[Flaw]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that must hold for every runbook, why, and what to do where it does not."""

    name: str
    says: str
    reason: str
    fix: str
    severity: Severity
    find: Find


def rule(
    name: str, *, reason: str, fix: str, severity: Severity = Severity.ERROR
) -> Callable[[Find], Rule]:
    """Make a rule of a function; its docstring says in one sentence what must hold."""

    def decorate(find: Find) -> Rule:
        says = " ".join((find.__doc__ or "").split())
        return Rule(name=name, says=says, reason=reason, fix=fix, severity=severity, find=find)

    return decorate
