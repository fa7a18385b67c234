"""Rules between runbooks: related ones, and the alerts they answer."""

import re
from collections.abc import Iterator
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.finding import Severity
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.errors import near

_NAMED: Final = 3  # runbooks in one message
_LISTED = re.compile(r"[`*\[]*([a-z][a-z0-9_]+)\b")


@rule(
    "related",
    reason="When nothing fits here, the related runbooks are the way on.",
    fix="Name runbooks of this folder, or planned ones, and not this one.",
)
def related(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Relate only runbooks that exist, or that are planned."""
    known = shelf.names
    for name in page.strings("related"):
        line = page.front_line("related", name)
        if name == page.name:
            yield Flaw(line=line, message="It is related to itself.")
        elif name in shelf.retired and name not in shelf.pages:
            yield Flaw(line=line, message=f"{name!r} is archived.")
        elif name not in known:
            yield Flaw(line=line, message=f"There is no {name!r}. {near(name, known)}")


@rule(
    "related-text",
    reason="The list under Related Runbooks is what is read when nothing can be opened.",
    fix="List each of the front matter's `related` with when to go there, and no other.",
)
def related_text(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """List under Related Runbooks those of the front matter."""
    line, lines = page.section("Related Runbooks")
    named = page.strings("related")
    listed = {
        found[1]: item.line
        for item in page.items("Related Runbooks")
        if (found := _LISTED.match(item.text)) and found[1] in {*shelf.names, *named}
    }
    for name in named:
        if lines and name not in listed:
            yield Flaw(line=line, message=f"{name!r} is related and not listed.")
    for name, number in listed.items():
        if name not in named:
            yield Flaw(line=number, message=f"{name!r} is listed and not in `related`.")


@rule(
    "mutual",
    reason="Two failures that look alike are mistaken in both directions.",
    fix="Name this runbook in the `related` of the other, or take the link out here.",
    severity=Severity.WARNING,
)
def mutual(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Let two runbooks that both exist point at each other."""
    for name in page.strings("related"):
        other = shelf.pages.get(name)
        if other and not other.problem and page.name not in other.strings("related"):
            message = f"{name!r} does not point back."
            yield Flaw(line=page.front_line("related", name), message=message)


@rule(
    "alerts",
    reason="An alert finds its runbook by itself only if exactly one answers it.",
    fix="Leave the alert to the runbook that fits best; the others name that one in `related`.",
)
def alerts(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Answer each alert with one runbook, and name it once."""
    named = page.strings("alerts")
    for alert in dict.fromkeys(named):
        line = page.front_line("alerts", alert)
        others = [name for name in shelf.answering.get(alert, []) if name != page.name]
        if others:
            said = ", ".join(others[:_NAMED])
            more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
            yield Flaw(line=line, message=f"{alert!r} is also answered by {said}{more}.")
        if named.count(alert) > 1:
            yield Flaw(line=line, message=f"{alert!r} is named twice.")


@rule(
    "answers",
    reason="A runbook without an alert is only found by who knows it.",
    fix="Name in `alerts` what calls for it.",
    severity=Severity.WARNING,
)
def answers(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Answer at least one alert, unless it is planned work."""
    severity = shelf.policy.severity(page.said("severity"))
    if not page.strings("alerts") and not (severity and severity.planned):
        yield Flaw(line=page.front_line("alerts"), message="It answers no alert.")
