"""Where a section of a foreign runbook belongs in the organisation's template, by its heading."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from runbook_nb.authoring.importer.commands import commands
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock

SYMPTOMS: Final = "Symptoms"
TRIAGE: Final = "Triage"
CONTAINMENT: Final = "Containment"
COMMUNICATION: Final = "Communication"
DIAGNOSIS: Final = "Diagnosis"
RESOLUTION: Final = "Resolution Steps"
VERIFICATION: Final = "Verification"
POST: Final = "Post-Incident"
RELATED: Final = "Related Runbooks"
CONTACTS: Final = "Contacts"

# The first that fits decides; a heading is compared without its number, marks and case.
_USUAL: Final = tuple(
    (target, re.compile(rf"(?:{words})(?:\W|$)"))
    for target, words in (
        (
            POST,
            (
                r"post[- ]?(?:incident|mortem|action|recovery|event)s?|follow[- ]?ups?|prevent\w*|"
                r"lessons|clean[- ]?up|retrospective|action items|revision|change ?log|history|"
                r"document (?:history|control)|versions?|faqs?|appendix|glossary|after the incident"
            ),
        ),
        (
            CONTACTS,
            (
                r"contacts?|escalat\w+|on[- ]?call|owners?(?:hip)?|team|support|points? of contact|"
                r"who to (?:call|contact|ask)|eskalation|kontakt\w*"
            ),
        ),
        (
            RELATED,
            (
                r"related|see also|references?|links?|further reading|resources|documentation|"
                r"additional (?:resources|information|reading|links)|useful links"
            ),
        ),
        (
            VERIFICATION,
            (
                r"verif\w+|validat\w+|confirm\w*|post[- ]?checks?|success criteria|"
                r"test(?:ing|s| plan)?|acceptance"
            ),
        ),
        (COMMUNICATION, r"communicat\w+|notif\w+|stakeholders?|status page|comms"),
        (CONTAINMENT, r"contain(?:ment|ing)?|stop the bleeding|isolat\w+|limit the damage"),
        (
            TRIAGE,
            (
                r"triage|immediate|first|quick (?:checks?|start|look)|initial|acknowledg\w+|"
                r"prerequisites?|pre[- ]?requisites?|before you|requirements|preparation|access|"
                r"permissions|tldr|tl;dr"
            ),
        ),
        (
            RESOLUTION,
            (
                r"mitigat\w+|resol\w+|remed\w+|fix(?:es|ing)?|solutions?|options?|recover\w*|"
                r"repair\w*|restor\w+|workarounds?|procedures?|steps?|actions?|instructions?|"
                r"playbook|roll ?back\w*|response|corrective|how to (?:fix|resolve|mitigate|"
                r"recover|solve|restore)|execution|behebung|lösung\w*|what to do"
            ),
        ),
        (
            DIAGNOSIS,
            (
                r"diagnos\w+|investigat\w+|troubleshoot\w*|debug\w*|checks?|checklist|analysis|"
                r"(?:root|possible|common|likely|potential|probable) causes?|causes?|identify\w*|"
                r"(?:possible|first|initial|basic|health|manual|useful|further) checks?|"
                r"(?:what|things|where) to (?:check|look)\b.*|observability|examine|gather\w*|"
                r"monitor\w*|dashboards?|metrics|logs?|quer(?:y|ies)|useful (?:queries|commands)|"
                r"how to (?:check|diagnose|debug)|diagnose"
            ),
        ),
        (
            SYMPTOMS,
            (
                r"meaning|impact|symptoms?|overview|summary|descriptions?|background|context|about|"
                r"introduction|purpose|scope|alerts?|detection|what (?:is|it|this|happen\w*|does)|"
                r"when to use|user impact|business impact|severity|metadata|problem|issue|"
                r"objective|architecture|service|auswirkung\w*|bedeutung"
            ),
        ),
    )
)
# Headings that hold a whole runbook rather than a section of one.
_LEAVES_OPEN: Final = re.compile(
    r"(?:runbook|playbook|procedures?|steps?|instructions?|response|actions?|overview|description|"
    r"summary|background|introduction|about|alerts?|service|documentation|details|recovery|"
    r"execution|incident response|what to do|scope|context|problem|issue|scenario)s?"
    r"\W*(?:steps?|procedure)?\W*$"
)
_LEADING = re.compile(
    r"^(?:[\W_]+|(?:step|phase|part|section)\s+\d+\W+|\d+(?:\.\d+)*[.):]?\s+)+", re.IGNORECASE
)
_OWN_OPTION = re.compile(
    r"^\W*(?:option|solution|method|approach|scenario|case|cause|fix|alternative)\s*\W?\s*[A-Z0-9]\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^\W*(?:step\s*\d|\d+[.):\s])", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class SourceSection:
    """A heading of the source with what stands directly below it, and the section it goes to."""

    target: str
    heading: str
    level: int
    line: int
    guessed: bool = False
    blocks: list[SourceBlock] = field(default_factory=list)

    @property
    def has_commands(self) -> bool:
        """Tell whether something in here is to be typed."""
        return any(map(commands, self.blocks))

    @property
    def is_option(self) -> bool:
        """Tell whether the heading names one way among several."""
        return bool(_OWN_OPTION.match(self.heading))

    @property
    def is_step(self) -> bool:
        """Tell whether the heading is one of several that follow each other."""
        return bool(_NUMBERED.match(self.heading))


def recognised(heading: str) -> str:
    """Return the section that a usual heading belongs to; empty for any other."""
    words = _LEADING.sub("", heading.replace("`", "").replace("*", "")).strip().casefold()
    return next((target for target, usual in _USUAL if usual.match(words)), "")


def sorted_parts(blocks: Sequence[SourceBlock]) -> list[SourceSection]:
    """Cut blocks at their headings, and give each part its section.

    A heading goes with the one above it, and one that is not usual and has none above by what it
    holds.
    """
    parts = [SourceSection(target="", heading="", level=0, line=1)]
    above: list[tuple[int, str, str]] = []
    for block in blocks:
        if block.kind is not BlockKind.HEADING:
            parts[-1].blocks.append(block)
            continue
        while above and above[-1][0] >= block.level:
            above.pop()
        target = _target(block.title, above)
        above.append((block.level, target, block.title))
        parts.append(
            SourceSection(target=target, heading=block.title, level=block.level, line=block.line)
        )
    return _placed(part for part in parts if part.heading or part.blocks)


def _target(heading: str, above: Sequence[tuple[int, str, str]]) -> str:
    """Return the section of a heading below others: what stands above it decides.

    A heading that only says that steps follow leaves it to those below it.
    """
    own = recognised(heading)
    if not above or not above[-1][1]:
        return own
    if own and _LEAVES_OPEN.match(_LEADING.sub("", above[-1][2]).strip().casefold()):
        return own
    return above[-1][1]


def _placed(parts: Iterable[SourceSection]) -> list[SourceSection]:
    placed: list[SourceSection] = []
    for part in parts:
        target = part.target or _guess(part, early=not any(p.target == RESOLUTION for p in placed))
        guessed = not part.target and bool(part.heading)
        placed.append(replace(part, target=target, guessed=guessed))
    return placed


def _guess(part: SourceSection, *, early: bool) -> str:
    """Return the section for a part that no heading explains, by the commands in it."""
    typed = [command for block in part.blocks for command in commands(block)]
    if typed:
        return DIAGNOSIS if all(command.reads for command in typed) else RESOLUTION
    return SYMPTOMS if early else POST
