"""The section Diagnosis of a draft: checks of its source, of its alerts, and of what it reads."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from runbook_nb.authoring.importer import sections as to
from runbook_nb.authoring.importer.checks import Offers, check_of_alert
from runbook_nb.authoring.importer.commands import Command, commands
from runbook_nb.authoring.importer.page import DraftPage
from runbook_nb.authoring.importer.sections import SourceSection
from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.catalog.alert_rules import AlertRule

_EXPECTED: Final = re.compile(
    r"\b(?:expect\w*|should (?:see|show|return|be|print|say)|healthy|normal(?:ly)?)\b",
    re.IGNORECASE,
)
_CHECK: Final = re.compile(r"^Check\s+\d{1,2}\s*(?:[:.)\u2013\u2014-]\s*|$)")


def write_diagnosis(
    page: DraftPage, everything: Sequence[SourceSection], offers: Offers, rules: Sequence[AlertRule]
) -> None:
    """Write the section; what other sections read is checked here too."""
    page.head(2, to.DIAGNOSIS)
    parts = [part for part in everything if part.target == to.DIAGNOSIS]
    checks = [part for part in parts if part.has_commands]
    if not checks:
        checks = [part for part in parts if part.blocks][:1]
    for part in parts:
        if not any(part is check for check in checks):
            page.section(part.heading, part.blocks, under=to.DIAGNOSIS)
    for number, part in enumerate(checks, start=1):
        _check(page, part, number)
    number = len(checks) + _alert_checks(page, rules, offers, after=len(checks))
    number += _checks_from_elsewhere(page, everything, after=number)
    if not number:
        page.head(3, f"Check 1: {FILL_IN} what is read")
        page.say(f"**Expected Output:** {FILL_IN} what is healthy, with its unit.")
        page.say(f"**If Failed:** {FILL_IN} what it means, and which option helps.")
        page.ask(f"{FILL_IN} say what to look at, where, and what is healthy.")


def _alert_checks(
    page: DraftPage, rules: Sequence[AlertRule], offers: Offers, *, after: int
) -> int:
    """Add a check for what each alert's own rule asks; return how many."""
    added = 0
    for rule in rules:
        check = check_of_alert(rule.name, rule.expression, offers) if rule.expression else None
        if check is None or check.call in {each.call for each in page.checks}:
            continue
        added += 1
        page.head(3, f"Check {after + added}: {rule.name}")
        page.say(f"**Expected Output:** {FILL_IN} whether what its rule asks is right here.")
        page.say(f"**If Failed:** {FILL_IN} what it means, and which option helps.")
        page.say("The alert's own rule asks:")
        page.fence(rule.expression.split("\n"), "text promql")
        page.check(check)
    return added


def _checks_from_elsewhere(page: DraftPage, parts: Sequence[SourceSection], *, after: int) -> int:
    """Add a check for what other sections read; there the command stays, as a manual step."""
    added = 0
    for part, command in _commands_elsewhere(parts):
        for check in page.new_checks(command):
            added += 1
            page.head(3, f"Check {after + added}: {check.title}")
            page.say(f"**Expected Output:** {FILL_IN} what is healthy.")
            page.say(f"**If Failed:** {FILL_IN} what it means, and which option helps.")
            where = f" under '{' '.join(part.heading.split())}'" if part.heading else ""
            page.say(f"In the source this is read by a command{where}:".replace("`", ""))
            page.fence(command.lines, f"text {command.language}".strip())
            page.check(check)
    return added


def _commands_elsewhere(
    parts: Sequence[SourceSection],
) -> Iterator[tuple[SourceSection, Command]]:
    for part in parts:
        for block in part.blocks if part.target != to.DIAGNOSIS else ():
            yield from ((part, command) for command in commands(block))


def _check(page: DraftPage, part: SourceSection, number: int) -> None:
    words = _CHECK.sub("", part.heading) or f"Look at this {'first' if number == 1 else 'too'}"
    page.head(3, f"Check {number}: {words}")
    if words != part.heading and part.heading:
        page.say(f"In the source: {part.heading}")
    told = _EXPECTED.search("\n".join(block.text for block in part.blocks))
    said = "as the words of the source below say." if told else f"{FILL_IN} what is healthy."
    page.say(f"**Expected Output:** {said}")
    page.say(f"**If Failed:** {FILL_IN} what it means, and which option helps.")
    if not page.blocks(part.blocks, place=part.heading, checked=True):
        page.ask(f"Do what check {number} says in words, by hand, and say what you see.")
