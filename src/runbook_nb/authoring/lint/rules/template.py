"""Rules about the organisation's template: sections, their order, and what stands in them."""

import re
from collections import Counter
from collections.abc import Iterator
from string import ascii_uppercase
from typing import Final

from runbook_nb.authoring.lint.context import Shelf
from runbook_nb.authoring.lint.page import RunbookPage
from runbook_nb.authoring.lint.rule import Flaw, rule
from runbook_nb.runbook.blanks import FILL_IN, blank
from runbook_nb.runbook.markdown import Heading
from runbook_nb.runbook.steps import SECTIONS, STEP_LEVEL

FIRST_MOVES: Final = ("Triage", "Containment", "Communication")
LABELS: Final = ("Expected Output", "If Failed")
_CHECK = re.compile(r"^Check (\d+): \S")
_OPTION = re.compile(r"^Option ([A-Z]): \S")


@rule(
    "readable",
    reason="What cannot be read cannot be run, compared or proved.",
    fix="Write it as the template does; `runbook new` makes one to start from.",
)
def readable(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Write UTF-8 Markdown with a front matter, and cells that can be read."""
    if page.problem or page.steps_problem:
        yield Flaw(line=1, message=page.problem or page.steps_problem)


@rule(
    "filled-in",
    reason="Nobody fills in a blank at night, and a drill with one proves nothing.",
    fix="Write it, or take the line out.",
)
def filled_in(page: RunbookPage, shelf: Shelf) -> Iterator[Flaw]:
    """Fill in every blank of the template, in the runbook and in its drills."""
    for number, line in enumerate(page.lines, start=1):
        # The rows of the header repeat the front matter.
        if FILL_IN in line and not line.startswith("| **"):
            yield Flaw(line=number, message=f"Not filled in: {blank(line).rstrip('.')}.")
    for drill in shelf.drills(page.name):
        for number, line in enumerate(drill.text.split("\n"), start=1):
            if FILL_IN in line:
                message = f"Not filled in: {blank(line).rstrip('.')}."
                yield Flaw(line=number, path=drill.path, message=message)


@rule(
    "sections",
    reason="A responder who knows one runbook finds the way in all of them.",
    fix=f"Have these sections, once and in this order: {', '.join(SECTIONS)}.",
)
def sections(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Have the sections of the template, once each and in its order."""
    found = [heading.text for heading in page.sections]
    for heading in page.sections:
        if heading.text not in SECTIONS:
            yield Flaw(line=heading.line, message=f"'{heading.text}' is no section.")
    for name in SECTIONS:
        if name not in found:
            line = page.headings[0].line if page.headings else page.body_line
            yield Flaw(line=line, message=f"The section '{name}' is missing.")
    ordered = [name for name in SECTIONS if name in found]
    for heading, name in zip(
        (h for h in page.sections if h.text in SECTIONS), ordered, strict=False
    ):
        if heading.text != name:
            message = f"'{heading.text}' stands where '{name}' must."
            yield Flaw(line=heading.line, message=message)
            return


@rule(
    "first-moves",
    reason="In the first five minutes nobody decides what to do first.",
    fix="Write Triage, Containment and Communication, in this order, and words under each.",
)
def first_moves(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Begin with Triage, Containment and Communication, each with words."""
    line, _ = page.section("Immediate Actions")
    under = _under(page, "Immediate Actions")
    if [heading.text for heading in under] != list(FIRST_MOVES):
        said = ", ".join(heading.text for heading in under) or "nothing"
        yield Flaw(line=line, message=f"Immediate Actions holds {said}.")
    for heading in under:
        if not page.words_below(heading):
            yield Flaw(line=heading.line, message=f"'{heading.text}' says nothing.")


@rule(
    "check-headings",
    reason="Checks are called by their number on the phone.",
    fix="Head each check `### Check 1: What is read`, numbered from 1, with its step below.",
)
def check_headings(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Give the checks of Diagnosis numbers from 1 without a gap, each with its step."""
    stepped = [placed.line for placed in page.of("check", "ask")]
    for number, heading in enumerate(_under(page, "Diagnosis"), start=1):
        found = _CHECK.match(heading.text)
        if not found or int(found[1]) != number:
            message = f"'{heading.text}' is not headed 'Check {number}: …'."
            yield Flaw(line=heading.line, message=message)
        if not any(heading.line < line < page.end_of(heading) for line in stepped):
            yield Flaw(line=heading.line, message=f"'{heading.text}' has no check below it.")
    if not page.of("check"):
        yield Flaw(line=page.section("Diagnosis")[0], message="Diagnosis has no check.")


@rule(
    "check-text",
    reason="A check must be readable, and doable by hand, when nothing can run.",
    fix="Write `**Expected Output:** …` and `**If Failed:** …` above the step.",
)
def check_text(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Say in words for each check what is healthy and what a failure means."""
    for heading in _under(page, "Diagnosis"):
        text = "\n".join(page.words_below(heading))
        for label in LABELS:
            if not re.search(rf"^\*\*{label}:?\*\*:?\s*\S", text, re.MULTILINE):
                message = f"'{heading.text}' does not say **{label}:**."
                yield Flaw(line=heading.line, message=message)


@rule(
    "option-headings",
    reason="Options are approved by their letter.",
    fix="Head each option `### Option A: What it does`, lettered from A, and say what it is for.",
)
def option_headings(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Letter the options of Resolution Steps from A without a gap, each with words."""
    under = _under(page, "Resolution Steps")
    for letter, heading in zip(ascii_uppercase, under, strict=False):
        found = _OPTION.match(heading.text)
        if not found or found[1] != letter:
            message = f"'{heading.text}' is not headed 'Option {letter}: …'."
            yield Flaw(line=heading.line, message=message)
        if not page.words_below(heading):
            message = f"'{heading.text}' does not say what it is for."
            yield Flaw(line=heading.line, message=message)
    if not under:
        line, _ = page.section("Resolution Steps")
        yield Flaw(line=line, message="Resolution Steps has no option.")
    for heading in page.options():
        if heading.level != STEP_LEVEL or heading not in under:
            message = f"'{heading.text}' does not stand on level 3 of Resolution Steps."
            yield Flaw(line=heading.line, message=message)


@rule(
    "unique",
    reason="Approvals, links and drills point at a title; two of one name cannot be told apart.",
    fix="Give each its own title.",
)
def unique(page: RunbookPage, _shelf: Shelf) -> Iterator[Flaw]:
    """Give headings, checks, actions, manual steps and verifications a title of their own."""
    titled = {
        "heading": [(heading.text, heading.line) for heading in page.headings],
        **{
            verb: [(placed.step.title, placed.line) for placed in page.of(verb)]
            for verb in ("check", "act", "ask", "verify")
        },
    }
    for kind, places in titled.items():
        seen: Counter[str] = Counter()
        for title, line in places:
            seen[title] += 1
            if seen[title] > 1:
                yield Flaw(line=line, message=f"A second {kind} is titled '{title}'.")


def _under(page: RunbookPage, section: str) -> list[Heading]:
    """Return the headings of the third level in a section."""
    line, lines = page.section(section)
    return [
        heading
        for heading in page.headings
        if heading.level == STEP_LEVEL and line < heading.line < line + len(lines)
    ]
