"""The shape of a face: tone, word, title, facts and folds, and the phrases that faces share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import singledispatch
from typing import Final

from runbook_nb.incident.statement import signer
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import block, day_and_clock, listed, one_line, said
from runbook_nb.text.values import Json
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Alert,
    Approved,
    Decided,
    Event,
    Evidence,
    Option,
    Outcome,
    Verdict,
)


class Tone(StrEnum):
    """How a face is coloured; a sign and a word always say the same."""

    GOOD = "pass"
    WARN = "warn"
    UNKNOWN = "unknown"
    FAIL = "fail"
    PLAIN = "plain"


_NOTHING_CHOSEN: Final = {
    Verdict.PASS: "Nothing to fix here",
    Verdict.WARN: "Nothing to fix here, but there are warnings",
    Verdict.UNKNOWN: "No check failed, but not everything could be read",
    Verdict.FAIL: "No option is chosen",
}
# What a terminal shows them in.
COLOURS: Final = {
    Tone.GOOD: "green",
    Tone.WARN: "yellow",
    Tone.UNKNOWN: "magenta",
    Tone.FAIL: "bold red",
    Tone.PLAIN: "default",
}
SIGNS: Final = {
    Tone.GOOD: "✓",
    Tone.WARN: "!",
    Tone.UNKNOWN: "?",
    Tone.FAIL: "✗",
    Tone.PLAIN: "•",
}
OUTCOME_TONES: Final = {
    Outcome.DONE: Tone.GOOD,
    Outcome.REHEARSED: Tone.PLAIN,
    Outcome.DECLINED: Tone.PLAIN,
    Outcome.NOT_NEEDED: Tone.PLAIN,
    Outcome.FAILED: Tone.FAIL,
}


@dataclass(frozen=True, kw_only=True)
class Face:
    """What one event says: tone and word, title, the one line to read, facts, folded parts.

    ``folds`` are pairs of label and value, a text or rows. ``next_step`` is a heading to go to.
    ``unfolded`` shows the folded parts at once, where they must be read before an answer.
    """

    at: datetime
    tone: Tone = Tone.PLAIN
    word: str
    title: str
    lead: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    folds: tuple[tuple[str, Json], ...] = ()
    next_step: str = ""
    unfolded: bool = False

    @property
    def sign(self) -> str:
        """The sign that says the tone without colour."""
        return SIGNS[self.tone]

    @property
    def said(self) -> str:
        """Title and lead as one phrase."""
        title = one_line(self.title)
        return f"{title.rstrip('.')}: {one_line(self.lead)}" if title and self.lead else title


def against(evidence: Evidence, expect: str, fail: str = "") -> str:
    """Say a reading against its expectation: ``9.4 s, expected at most 5 s``."""
    read = evidence.answer is not None or not evidence.reason
    value = said(evidence.answer, evidence.unit, f"{expect} {fail}") if read else "No reading"
    return f"{value}, expected {expect}" if expect else value


def choice(event: Decided) -> str:
    """Say which option was chosen; of none, what that means by what was read."""
    return event.option or _NOTHING_CHOSEN[event.verdict]


def rejected(event: Decided) -> list[tuple[str, str]]:
    """Return the options that were not chosen, each with why."""
    others = (option for option in event.ranked if option.heading != event.option)
    return [(_marked(option.heading, event.recommended), _pleas(option)) for option in others]


def grounds(event: Decided) -> str:
    """Say which checks call for the chosen option."""
    chosen = next((option for option in event.ranked if option.heading == event.option), None)
    return _pleas(chosen) if chosen else ""


def _marked(heading: str, recommended: str | None) -> str:
    return f"{heading} (recommended)" if heading == recommended else heading


def _pleas(option: Option) -> str:
    pleas = [f"{listed(option.failed)} failed"] if option.failed else []
    pleas += [f"{listed(option.warned)} warned"] if option.warned else []
    pleas += [f"it comes first: {option.first}"] if option.first else []
    return "; ".join(pleas) or "No failed check calls for it"


def terms(event: Acting | Acted) -> list[tuple[str, str]]:
    """Return what an action was agreed on: option, check, risk and undo."""
    agreed = [("Option", event.option), ("Because", event.because)]
    return [*agreed, ("Risk", event.risk), ("Undo", event.undo)]


def says_to_be(name: str) -> str:
    """Mark a name that no key proves."""
    return f"says to be {name}" if name else ""


def proven_name(name: str, key: str, owners: Mapping[str, str]) -> str:
    """Say a name as it is where the owner of a key has it; else that it only says so."""
    return name if key and owners.get(key) == name else says_to_be(name)


def named_approver(event: Approved, owners: Mapping[str, str] | None = None) -> str:
    """Say who approved; ``owners`` are names by the fingerprints of their keys, where known."""
    key = signer(event)
    name = proven_name(event.by, key, owners or {})
    if key:
        return f"{name}, with the key {key}"
    return f"{name}, with a signature that does not fit" if event.signature else name


def agreed_by(event: Acting) -> str:
    """Say who agreed to an action: the owners of keys, or a name."""
    return event.approved_by if event.approvers else says_to_be(event.approved_by)


def alerting(alert: Alert | None) -> list[tuple[str, str]]:
    """Return the alert that opened an incident as a fact."""
    return [("Alert", f"{alert.name}. {alert.summary}".rstrip(". "))] if alert else []


def evidence_folds(evidence: Evidence) -> tuple[tuple[str, Json], ...]:
    """Return what was asked, and the rows that came back."""
    rows = evidence.answer if isinstance(evidence.answer, list | tuple) else evidence.detail
    asked = "\n\n".join(block(question) for question in evidence.asked)
    return folded(("Asked", asked or evidence.question), ("Answer", rows))


def reading_words(
    event: Event, evidence: Evidence, *, moment: Callable[[datetime], str] = day_and_clock
) -> str:
    """Say when, where and in what time a reading was taken, and how old it was when judged."""
    parts = [moment(evidence.read_at)]
    if (age := (event.at - evidence.read_at).total_seconds()) >= 1:
        parts.append(f"{words(age)} old when judged")
    if evidence.source:
        parts.append(f"from {evidence.source}")
    if evidence.took_s:
        parts.append(f"in {words(evidence.took_s)}")
    return ", ".join(parts)


def took(seconds: float) -> str:
    """Say a duration, and nothing where none was measured."""
    return words(seconds) if seconds else ""


def kept(facts: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the facts that have a value."""
    return tuple((label, value) for label, value in facts if value)


def folded(*folds: tuple[str, Json]) -> tuple[tuple[str, Json], ...]:
    """Return the folded parts that have a value."""
    return tuple((label, value) for label, value in folds if value not in (None, "", [], {}, ()))


@singledispatch
def face(event: Event) -> Face:
    """Return what an event says."""
    return Face(at=event.at, word=event.kind.upper(), title="")
