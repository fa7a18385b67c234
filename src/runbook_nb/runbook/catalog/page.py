"""A runbook as a page to read: plain text for a pager, or Markdown for a ticket."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from runbook_nb.runbook.catalog.entry import Entry
from runbook_nb.runbook.catalog.resolved_steps import Shown, imports
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.text.values import Json

WIDTH: Final = 88
_INDENT: Final = " " * 6
_WORDS: Final = {
    "expect": "healthy",
    "fail": "failed",
    "if_failed": "then go to",
    "because": "called for by",
    "risk": "risk",
    "undo": "to take back",
    "owner": "who",
    "within": "wait at most",
    "readings": "readings",
    "reason": "reason",
}
_EMPHASIS: Final = re.compile(r"(\*{1,2})([^*\s][^*]*)\1")


def as_text(
    entry: Entry, runbook: Runbook, steps: Sequence[Shown], values: Mapping[str, Json]
) -> str:
    """Return the page as plain text, 88 columns wide."""
    head = [part for line in _head(entry, runbook) for part in textwrap.wrap(line, WIDTH)]
    lines = [*head, "", *_parameters(runbook, values)]
    section = option = ""
    for shown in steps:
        if shown.step.section != section:
            section = shown.step.section
            lines += ["", section.upper()]
        if shown.step.option != option:
            option = shown.step.option
            lines += ["", *([f"  {option}"] if option else [])]
        lines += ["", *_step(shown)]
    lines += ["", "NAMES", *textwrap.indent(imports(runbook), "  ").splitlines()]
    lines += ["", "Nothing of this was executed.", f"Do it by hand: runbook open {entry.name}"]
    return "\n".join(lines) + "\n"


def as_markdown(
    entry: Entry, runbook: Runbook, steps: Sequence[Shown], values: Mapping[str, Json]
) -> str:
    """Return the page as Markdown; each cell is a block to copy."""
    head = _head(entry, runbook)
    given = [f"- `{name}={value}`" for name, value in values.items() if name != "incident_id"]
    lines = [f"# {head[0]}", "", *(f"{line}  " for line in head[1:]), "", *given]
    lines += ["", *_fenced(imports(runbook))]
    section = heading = ""
    for shown in steps:
        if shown.step.section != section:
            section = shown.step.section
            lines += ["", f"## {section}"]
        if shown.step.heading not in (heading, section):
            heading = shown.step.heading
            lines += ["", f"### {heading}"]
        lines += ["", f"**{shown.number}. {shown.step.verb}: {shown.step.title}**"]
        lines += ["", shown.prose] if shown.prose else []
        lines += ["", *_fenced(shown.source)]
    return "\n".join(lines) + "\n"


def _head(entry: Entry, runbook: Runbook) -> list[str]:
    lines = [
        runbook.title,
        f"{entry.severity}, {entry.owner}, {entry.freshness.said}",
        entry.scenario,
        f"Answers: {', '.join(entry.alerts) or 'no alert'}",
        f"Call: {', '.join(entry.escalation) or 'nobody is named'}",
        f"Related: {', '.join(entry.related) or 'none'}",
    ]
    if runbook.retired:
        instead = f" Use {entry.superseded_by} instead." if entry.superseded_by else ""
        lines.insert(1, f"RETIRED: {runbook.retired.get('reason', '')}{instead}")
    return lines


def _parameters(runbook: Runbook, values: Mapping[str, Json]) -> Iterator[str]:
    yield "PARAMETERS"
    for parameter in runbook.parameters:
        if parameter.name != "incident_id":
            given = f"-p {parameter.name}={values.get(parameter.name)}"
            yield f"  {given:30} {parameter.help}".rstrip()


def _step(shown: Shown) -> Iterator[str]:
    step = shown.step
    yield from _wrapped(f"{shown.number:3} {step.verb}: ", step.title)
    for paragraph in shown.prose.split("\n"):
        if paragraph.strip():
            plain = _EMPHASIS.sub(r"\2", paragraph).replace("`", "")
            yield from textwrap.wrap(
                plain, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT
            )
    for name, value in step.words.items():
        if name in _WORDS and value is not None:
            said = ", ".join(value) if isinstance(value, tuple | list) else str(value)
            yield from _wrapped(f"{_INDENT}{_WORDS[name]}: ", said)
    if step.call:
        # One line however long: what is copied must be whole.
        yield f"{_INDENT}call: {step.call}"


def _wrapped(start: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=" " * len(_INDENT) + "  "
    ) or [start.rstrip()]


def _fenced(source: str) -> list[str]:
    return ["```python", *source.splitlines(), "```"] if source else []
