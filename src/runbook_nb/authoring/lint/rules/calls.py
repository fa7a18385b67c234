"""Rules about what the steps call: probes and actions that exist, and what they promise."""

from collections.abc import Iterator
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.authoring.lint.step_calls import called
from runbook_nb.probes.calls import Action

# How people say that there is no way back, or that it is not a call.
_HONEST: Final = (
    "none",
    "no ",
    "not ",
    "cannot",
    "can't",
    "by hand",
    "irreversible",
    "nothing",
    "stay",
)


@rule(
    "known-call",
    reason="A name that does not exist is found out in the middle of the night.",
    fix="Name a probe or action of a system, import its module in the second cell, and give it the "
    "arguments it takes.",
)
def known_call(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Read a probe and do an action that exist, with arguments that fit."""
    for placed in page.of("check", "act"):
        for one in called(placed, page, shelf):
            for problem in one.problems:
                yield Flaw(line=one.line, message=problem)


@rule(
    "rehearsal",
    reason="Without a rehearsal the responder approves what nobody has seen.",
    fix="Give the action a `.rehearsal` that shows what it would change.",
    severity=Severity.WARNING,
)
def rehearsal(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Show of every action what it would change."""
    for placed in page.of("act"):
        for one in called(placed, page, shelf):
            if isinstance(one.made, Action) and one.made.rehearse is None:
                yield Flaw(line=one.line, message=f"{one.made.name} has no rehearsal.")


@rule(
    "undo-true",
    reason="A responder approves because of the undo; it must be the one there is.",
    fix="Say 'None', 'Cannot be undone' or how it is done by hand; or give the action an `.undo`.",
    severity=Severity.WARNING,
)
def undo_true(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Promise an undo only where the action has one."""
    for placed in page.of("act"):
        said = placed.words("undo").lower()
        made = [one.made for one in called(placed, page, shelf) if isinstance(one.made, Action)]
        if any(action.undo for action in made) or any(word in said for word in _HONEST):
            continue
        for action in made:
            message = f"{action.name} has no undo, and the words promise one."
            yield Flaw(line=placed.line_of("undo"), message=message)
