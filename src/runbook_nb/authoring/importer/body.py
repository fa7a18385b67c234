"""Write the sections of a draft in the order of the template, from the parts of a source."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from string import ascii_uppercase
from typing import Final

from runbook_nb.authoring.importer import sections as to
from runbook_nb.authoring.importer.checks import Offers
from runbook_nb.authoring.importer.diagnosis import write_diagnosis
from runbook_nb.authoring.importer.facts import Facts
from runbook_nb.authoring.importer.page import DraftPage
from runbook_nb.authoring.importer.sections import SourceSection
from runbook_nb.runbook.blanks import FILL_IN
from runbook_nb.runbook.catalog.alert_rules import AlertRule

LEFT_OVER: Final = "Left over from the source"
_HOW_TO = re.compile(
    r"^(?:how[ -]to|how do (?:i|we|you)|guide|sop|tutorial|procedure for|steps to)\b|"
    r"\b(?:how[ -]to|guide|procedure|sop|tutorial|walkthrough)$",
    re.IGNORECASE,
)
_OPTION = re.compile(r"^(?:Option|Solution)\s+[A-Z0-9]{1,2}\s*(?:[:.)\u2013\u2014-]\s*|$)")


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What has no place in the template: another tool's front matter, and lines left over."""

    front: Sequence[str] = ()
    left_over: Sequence[str] = ()


@dataclass
class _Option:
    """An option under way: its words, its level in the source, and the parts it is made of."""

    words: str
    level: int
    parts: list[SourceSection] = field(default_factory=list)


def write_body(
    parts: Sequence[SourceSection],
    facts: Facts,
    *,
    owner: str,
    kept: Remainder,
    offers: Offers,
    rules: Sequence[AlertRule] = (),
) -> DraftPage:
    """Return the sections of a draft; ``owner`` is who is asked to do its manual steps.

    ``rules`` are those of its alerts, and ``offers`` the probes that checks may call.
    """
    page = DraftPage(owner=owner, offers=offers)
    page.head(1, f"{facts.title} — Operational Procedure")
    page.lines.clear()
    _plain(page, to.SYMPTOMS, parts, missing="what users see, and which alert fires.")
    _first_moves(page, parts)
    write_diagnosis(page, parts, offers, rules)
    how_to = bool(_HOW_TO.search(facts.title)) and not any(part.is_option for part in parts)
    _resolution(page, _of(parts, to.RESOLUTION), title=facts.title, how_to=how_to)
    _plain(page, to.VERIFICATION, parts, missing="which checks must pass again, as `verify` steps.")
    _after(page, parts, kept)
    _plain(page, to.RELATED, parts, missing="the runbooks to try when nothing fits here.")
    _plain(page, to.CONTACTS, parts, missing="whom to call when this runbook is not enough.")
    page.head(2, "Validation Log")
    return page


def _of(parts: Sequence[SourceSection], target: str) -> list[SourceSection]:
    return [part for part in parts if part.target == target]


def _plain(
    page: DraftPage, target: str, parts: Sequence[SourceSection], *, missing: str, level: int = 2
) -> None:
    """Write a section whose parts stay as they are."""
    page.head(level, target)
    own = _of(parts, target)
    for part in own:
        page.section(part.heading, part.blocks, under=target)
    if not any(part.blocks for part in own):
        page.say(f"{FILL_IN} {missing}")


def _first_moves(page: DraftPage, parts: Sequence[SourceSection]) -> None:
    page.head(2, "Immediate Actions")
    for name, missing in (
        (to.TRIAGE, "the one thing to look at first."),
        (to.CONTAINMENT, "what keeps the failure from spreading, before its cause is known."),
        (to.COMMUNICATION, "who is told, where, and how often."),
    ):
        own = _of(parts, name)
        page.head(3, name)
        if not any(part.blocks for part in own) or own[0].heading != name:
            # A heading of the source may follow at once, and a first move must say something.
            words = f"{FILL_IN} {missing}" if not any(p.blocks for p in own) else "In the source:"
            page.say(words)
        for part in own:
            page.section(part.heading, part.blocks, under=name)


def _resolution(
    page: DraftPage, parts: Sequence[SourceSection], *, title: str, how_to: bool
) -> None:
    """Write the options; what says how to do one thing is one option, with its steps in order."""
    intro, options = _options(parts)
    if how_to and options:
        steps = [*intro, *(part for option in options for part in option.parts)]
        intro, options = [], [_Option(title, 0, steps)]
    page.head(2, to.RESOLUTION)
    for part in intro:
        page.section(part.heading, part.blocks, under=to.RESOLUTION)
    page.say("```python", "incident.decide()", "```")
    for letter, option in zip(ascii_uppercase, options, strict=False):
        _option(page, option, letter)
    if not options:
        page.head(3, f"Option A: {FILL_IN} what it does")
        page.say(f"{FILL_IN} when this option is the right one.")
        page.ask(f"{FILL_IN} say what to do, where, and what comes back.")


def _option(page: DraftPage, option: _Option, letter: str) -> None:
    words = _OPTION.sub("", option.words) or f"{FILL_IN} what it does"
    page.head(3, f"Option {letter}: {words}")
    page.say(f"{FILL_IN} when this option is the right one, and which check leads here.")
    if words != option.words and option.words:
        page.say(f"In the source: {option.words}")
    first, *others = option.parts
    if first.heading != option.words:
        page.source_heading(first.heading)
    steps = page.blocks(first.blocks, place=option.words)
    steps += sum(page.section(part.heading, part.blocks) for part in others)
    if not steps:
        page.ask(f"Do what option {letter} says in words, by hand, and say what came back.")


def _options(parts: Sequence[SourceSection]) -> tuple[list[SourceSection], list[_Option]]:
    """Return what stands before all options, and the options: one for each way to resolve."""
    intro: list[SourceSection] = []
    waiting: list[SourceSection] = []
    options: list[_Option] = []
    for part, after in zip_longest(parts, parts[1:]):
        divided = after is not None and after.level > part.level and not after.is_step
        within = bool(options) and part.level > options[-1].level and not waiting
        if len(options) == len(ascii_uppercase) or (within and not part.is_option):
            options[-1].parts.append(part)
        elif divided and not part.is_option and not part.has_commands:
            waiting.append(part)
        elif options:
            options.append(_Option(part.heading, part.level, [part, *waiting]))
            waiting = []
        else:
            options.append(_Option(part.heading, part.level, [part]))
            intro, waiting = waiting, []
    if options:
        options[-1].parts.extend(waiting)
        return intro, options
    return waiting, options


def _after(page: DraftPage, parts: Sequence[SourceSection], kept: Remainder) -> None:
    page.head(2, to.POST)
    for part in _of(parts, to.POST):
        page.section(part.heading, part.blocks, under=to.POST)
    page.say("Close the incident: `runbook close` with its id makes the record.")
    if kept.front:
        page.source_heading("Front matter of the source")
        page.fence(kept.front, "text")
    if kept.left_over:
        page.source_heading(LEFT_OVER)
        page.fence(kept.left_over, "text")
