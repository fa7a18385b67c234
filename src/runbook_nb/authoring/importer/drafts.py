"""Turn somebody else's Markdown into drafts of runbooks; nothing in it is run, nothing dropped."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from runbook_nb.authoring.importer.body import LEFT_OVER, Remainder, write_body
from runbook_nb.authoring.importer.checks import CheckDraft, Offers
from runbook_nb.authoring.importer.commands import Command
from runbook_nb.authoring.importer.completeness import lost_lines
from runbook_nb.authoring.importer.facts import Facts, read_facts
from runbook_nb.authoring.importer.page import is_reserved
from runbook_nb.authoring.importer.placeholders import parameters
from runbook_nb.authoring.importer.sections import SourceSection, recognised, sorted_parts
from runbook_nb.authoring.importer.source import Source
from runbook_nb.authoring.importer.source_blocks import BlockKind, SourceBlock, read_blocks
from runbook_nb.authoring.scaffold.classification import group_of
from runbook_nb.authoring.scaffold.frame import frame
from runbook_nb.authoring.scaffold.gaps import Gap, gaps, heading_lines
from runbook_nb.authoring.scaffold.names import demand_free, demand_name, snake_case
from runbook_nb.authoring.scaffold.new_files import write_new
from runbook_nb.errors import RunbookFormatError
from runbook_nb.runbook.catalog.alert_rules import AlertRule
from runbook_nb.runbook.parameters import Parameter
from runbook_nb.runbook.policy import Policy, read_policy

# Who does a manual step unless the author says otherwise: who holds the pager at that moment.
ASKED: Final = "On-call"
_SEVERAL: Final = 2


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a source became: the text of its Markdown, its manual steps, and what was guessed."""

    name: str
    title: str
    text: str
    steps: tuple[Command, ...]
    checks: tuple[CheckDraft, ...]
    parameters: tuple[Parameter, ...]
    noticed: tuple[Gap, ...]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A draft that was written, with its gaps."""

    draft: Draft
    path: Path
    gaps: tuple[Gap, ...]

    def facts(self) -> dict[str, object]:
        """Return the draft as JSON."""
        return {
            "name": self.draft.name,
            "title": self.draft.title,
            "path": str(self.path),
            "steps": [
                {
                    "line": step.line,
                    "effect": step.effect,
                    "reads": step.reads,
                    "why": step.why,
                    "lines": step.lines,
                }
                for step in self.draft.steps
            ],
            "checks": [
                {"title": check.title, "call": check.call, "expect": check.expect}
                for check in self.draft.checks
            ],
            "parameters": [
                {"name": found.name, "type": found.type} for found in self.draft.parameters
            ],
            "gaps": [vars(gap) for gap in self.gaps],
        }


def draft(
    source: Source,
    *,
    runbooks: Path,
    now: datetime,
    name: str = "",
    rules: Sequence[AlertRule] = (),
    offers: Offers | None = None,
) -> Draft:
    """Return the draft of one runbook beside ``runbooks``, by the policy that stands there.

    ``rules`` are those of the team's alerts; the ones that the source names give its checks their
    limits. ``offers`` are the probes of the packs in use.

    Raises RunbookFormatError where it has no fit name, and ParameterError for a policy that cannot
    be read.
    """
    policy = read_policy(runbooks)
    blocks = read_blocks(source.lines, first=source.first)
    title, below = _titled(blocks)
    name = name or snake_case(source.name.rpartition(".")[0]) or snake_case(title)
    if not name:
        message = f"{source.name} gives no name for a runbook. Say one: --name what_fails"
        raise RunbookFormatError(message)
    demand_name(name)
    parts = sorted_parts(below)
    known = {*policy.planned_names, *(path.stem for path in runbooks.glob("*.md"))}
    alerts = [rule.name for rule in rules]
    facts = read_facts(source, title=title, parts=parts, policy=policy, known=known, alerts=alerts)
    offers = offers or Offers()
    own = [rule for rule in rules if rule.name in facts.alerts]
    page = write_body(
        parts, facts, owner=ASKED, kept=Remainder(front=source.front), offers=offers, rules=own
    )
    typed = page.steps
    found = parameters(typed)
    imports = _imports(page.checks, offers)
    top = frame(_front(name, facts, policy, now), found, imports=imports)
    lost = lost_lines((*source.front, *source.lines), f"{top}\n{page.text()}")
    if lost:
        kept = Remainder(front=source.front, left_over=lost)
        page = write_body(parts, facts, owner=ASKED, kept=kept, offers=offers, rules=own)
    text = f"{top}\n{page.text()}"
    return Draft(
        name=name,
        title=facts.title,
        text=text,
        steps=tuple(typed),
        checks=tuple(page.checks),
        parameters=tuple(found),
        noticed=tuple(_noticed(text, parts, blocks, lost)),
    )


def split(source: Source) -> list[Source]:
    """Cut a source that holds several runbooks at its headings, each with its own name.

    The cut is at the highest level that has several headings which are no usual section. What
    stands before the first goes with it. Raises RunbookFormatError where there is nothing to cut.
    """
    headings = [b for b in read_blocks(source.lines) if b.kind is BlockKind.HEADING]
    counted = Counter(b.level for b in headings if not recognised(b.title))
    level = min((level for level, count in counted.items() if count >= _SEVERAL), default=0)
    cuts = [b for b in headings if b.level == level and not recognised(b.title)]
    if not cuts:
        message = f"{source.name} holds one runbook: no level has several headings to split at."
        raise RunbookFormatError(message)
    starts = [0, *(b.line - 1 for b in cuts[1:])]
    ends = [*starts[1:], len(source.lines)]
    names = _unique_names([b.title for b in cuts])
    return [
        Source(
            name=f"{name}.md",
            front=source.front if start == 0 else (),
            lines=source.lines[start:end],
            first=source.first + start,
        )
        for name, start, end in zip(names, starts, ends, strict=True)
    ]


def write_drafts(
    drafts: Sequence[Draft], *, to: Path, runbooks: Path, now: datetime
) -> list[Imported]:
    """Write each draft as a pair into a folder, and return them with their gaps.

    Raises RunbookFormatError, before anything is written, where a name is taken in the folder or
    among the ``runbooks``.
    """
    for one in drafts:
        for folder in dict.fromkeys((to, runbooks)):
            demand_free(one.name, folder=folder)
    written = []
    for one in drafts:
        path = to / f"{one.name}.md"
        text = write_new(path, one.text)
        # The front matter grows when the pair is written, so lines are looked up again.
        moved = text.count("\n") - one.text.count("\n")
        noticed = [Gap(line=g.line + moved, kind=g.kind, what=g.what) for g in one.noticed]
        found = gaps(path, folder=runbooks, now=now, noticed=noticed)
        written.append(Imported(draft=one, path=path, gaps=tuple(found)))
    return written


def _imports(checks: Sequence[CheckDraft], offers: Offers) -> list[str]:
    """Return the lines of the opening cell: limits, units of time, and the systems of the packs.

    Most gaps that an author fills are a window or a time within which something holds.
    """
    names_used = sorted({*(check.limit for check in checks), "minutes", "seconds"})
    systems: dict[str, set[str]] = {}
    for check in checks:
        probe = check.call.partition("(")[0].removeprefix(f"{check.system}.")
        systems.setdefault(offers.package(check.system, probe), set()).add(check.system)
    lines = [
        f"from {package} import {', '.join(sorted(names))}" for package, names in systems.items()
    ]
    return [f"from runbook_nb import {', '.join(('Incident', *names_used))}", *sorted(lines)]


def _titled(blocks: list[SourceBlock]) -> tuple[str, list[SourceBlock]]:
    """Return the title, and the blocks without it: the first heading if it is the highest."""
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    first = headings[0] if headings else None
    if first is None or first.level > min(block.level for block in headings):
        return "", blocks
    if is_reserved(first.title):
        return "", blocks
    same = sum(1 for block in headings if block.level == first.level)
    if first.level > 1 and same > 1:
        return "", blocks
    return first.title, [block for block in blocks if block is not first]


def _front(name: str, facts: Facts, policy: Policy, now: datetime) -> dict[str, object]:
    return {
        "name": name,
        "title": facts.title,
        "scenario": facts.scenario,
        "severity": facts.severity,
        "owner": facts.owner,
        **group_of("", policy),
        "alerts": list(facts.alerts),
        "escalation": list(facts.escalation),
        "related": [related for related in facts.related if related != name],
        "last_updated": now.date().isoformat(),
        "last_validated": "",
        "validations": [],
    }


def _noticed(
    text: str, parts: Sequence[SourceSection], blocks: Sequence[SourceBlock], lost: Sequence[str]
) -> Iterator[Gap]:
    places = heading_lines(text)
    for part in parts:
        if part.guessed:
            what = f"'{part.heading}' is no usual heading; it was put under {part.target}."
            yield Gap(line=places.get(part.heading, 1), kind="guess", what=what)
    if lost:
        what = f"{len(lost)} lines of the source found no place and stand at the end."
        yield Gap(line=places.get(LEFT_OVER, 1), kind="left-over", what=what)
    titles = [b.title for b in blocks if b.kind is BlockKind.HEADING and b.level == 1]
    if len(titles) >= _SEVERAL:
        what = f"The source has {len(titles)} titles. If each is a runbook, import with --split."
        yield Gap(line=1, kind="guess", what=what)


def _unique_names(titles: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for number, title in enumerate(titles, start=1):
        name = snake_case(title) or f"part_{number}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name[:50]}_{seen[name]}")
    return names
