"""What may be searched of a runbook: its passages, each with its place and its weight."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from runbook_nb.runbook.catalog.entry import Entry
from runbook_nb.runbook.document import Document
from runbook_nb.runbook.markdown import Heading, Markdown
from runbook_nb.runbook.runbook import Runbook

# An alert is what calls for a runbook; a symptom is what people report; the rest is detail.
_ALERT, _TITLE, _SYMPTOM, _STEP, _TEXT = 5.0, 4.0, 3.0, 2.0, 1.0
_MARKUP: Final = re.compile(r"[*`|]+|^\s*(?:[-+]|\d+\.)\s+", re.MULTILINE)
_SENTENCE: Final = re.compile(r"(?<=[.!?:;])\s+|\n+")
# These say where else to look, so a match in them speaks for another runbook.
_ELSEWHERE: Final = frozenset({"Related Runbooks", "Contacts", "Validation Log"})


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A short text of a runbook, where it stands, and how much a match in it counts."""

    place: str
    text: str
    weight: float


def passages(entry: Entry, *, summaries: Mapping[str, str]) -> list[Passage]:
    """Return all that can be searched of an entry; ``summaries`` are the texts of alerts."""
    found = [
        Passage(place="name", text=entry.name.replace("_", " "), weight=_TITLE),
        Passage(place="title", text=entry.title, weight=_TITLE),
        Passage(place="scenario", text=entry.scenario, weight=_TITLE),
    ]
    for alert in entry.alerts:
        found.append(Passage(place="alert", text=alert, weight=_ALERT))
        if alert in summaries:
            text = f"{alert}: {summaries[alert]}"
            found.append(Passage(place="alert", text=text, weight=_ALERT))
    if entry.runbook:
        found += _steps(entry.runbook)
        found += _sentences(entry.runbook)
    return [passage for passage in found if passage.text]


def _steps(runbook: Runbook) -> Iterator[Passage]:
    for step in runbook.steps:
        if step.verb in ("check", "act"):
            yield Passage(place=f"{step.verb}, {step.heading}", text=step.title, weight=_STEP)
    for option in runbook.options():
        yield Passage(place="heading", text=option, weight=_STEP)


def _sentences(runbook: Runbook) -> Iterator[Passage]:
    """Return the prose, sentence by sentence, under the heading it stands beneath."""
    section = ""
    for cell in Document.read(runbook.path).cells:
        for heading, lines in _under_headings(cell.markdown):
            section = heading or section
            if section and section not in _ELSEWHERE:
                weight = _SYMPTOM if section == "Symptoms" else _TEXT
                for text in _plain("\n".join(lines)):
                    yield Passage(place=section, text=text, weight=weight)


def _under_headings(text: Markdown) -> Iterator[tuple[str, list[str]]]:
    """Return the words of each heading with the lines below it; the title of the page is none."""
    headed = ((found.line, found.after, _section(found)) for found in text.headings)
    starts = [(text.first, text.first, ""), *headed]
    ends = [line for line, _, _ in starts[1:]] + [text.first + len(text.lines)]
    unfenced = dict(text.unfenced())
    for (_, after, words), end in zip(starts, ends, strict=True):
        yield words, [unfenced[number] for number in range(after, end) if number in unfenced]


def _section(heading: Heading) -> str:
    return heading.text if heading.level > 1 else ""


def _plain(body: str) -> list[str]:
    texts = (" ".join(_MARKUP.sub(" ", text).split()) for text in _SENTENCE.split(body))
    return [text for text in texts if text]
