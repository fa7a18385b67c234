"""What may be searched of a runbook: its passages, each with its place and its weight."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_nb.runbook.catalog.entry import Entry
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runbook.steps import headings, source_of

# An alert is what calls for a runbook; a symptom is what people report; the rest is detail.
_ALERT, _TITLE, _SYMPTOM, _STEP, _TEXT = 5.0, 4.0, 3.0, 2.0, 1.0
_FENCE: Final = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_MARKUP: Final = re.compile(r"[*`|]+|^\s*(?:[-+]|\d+\.)\s+|^#+\s+", re.MULTILINE)
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
    for source in _prose(runbook):
        for block in re.split(r"(?m)^(?=#)", source):
            section = _section(block) or section
            if section and section not in _ELSEWHERE:
                weight = _SYMPTOM if section == "Symptoms" else _TEXT
                for text in _plain(block):
                    yield Passage(place=section, text=text, weight=weight)


def _prose(runbook: Runbook) -> Iterator[str]:
    notebook: dict[str, Any] = json.loads(runbook.path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            yield _FENCE.sub("", source_of(cell))


def _section(block: str) -> str:
    """Return the heading a block begins with; the title of the page is none."""
    found = headings(block)
    return found[0][1] if found and found[0][0] > 1 else ""


def _plain(block: str) -> list[str]:
    body = re.sub(r"(?m)^#+ .*$", "", block)
    texts = (" ".join(_MARKUP.sub(" ", text).split()) for text in _SENTENCE.split(body))
    return [text for text in texts if text]
