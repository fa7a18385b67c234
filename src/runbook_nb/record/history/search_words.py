"""The words an incident is found by, masked as they stand in its timeline."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from runbook_nb.record.facts import Record

WORDS_LIMIT: Final = 8_000  # characters of one incident; a long night writes about 3,000
_TOKEN: Final = re.compile(r"[^\W_]+")


def words_of(record: Record) -> str:
    """Return what people and systems said in an incident, the most telling first, one a line."""
    said = (" ".join(str(text).split()) for text in _said(record) if text)
    return "\n".join(dict.fromkeys(each for each in said if each))[:WORDS_LIMIT]


def tokens(text: str) -> list[str]:
    """Return the words of a text as the search sees them: lower case, no accents, no signs."""
    plain = text.lower()
    if not plain.isascii():
        marked = unicodedata.normalize("NFD", plain)
        plain = "".join(each for each in marked if not unicodedata.combining(each))
    return _TOKEN.findall(plain)


def _said(record: Record) -> Iterator[object]:
    yield from (record.id, record.severity, record.environment, *record.runbooks)
    yield from record.summary
    yield from (report.words for report in record.reports)
    stated = record.statement
    yield from (record.resolution, stated.cause, stated.users_saw, stated.commander)
    yield from (f"{each.text} {each.owner}" for each in stated.follow_ups)
    if record.alert:
        alert = record.alert
        yield from (alert.name, alert.summary, alert.description, *alert.labels.values())
    yield from (note.text for note in record.notes)
    yield from _decided(record)
    for check in record.checks:
        yield check.title
        yield from (check.before.evidence.reason, check.last.evidence.reason)
        yield from (each for each in (check.last.evidence.answer,) if isinstance(each, str))
    yield from _done(record)
    for run in record.runs:
        yield from (run.reason, run.stopped, *run.parameters.values())
    yield from record.people


def _decided(record: Record) -> Iterator[object]:
    for decided in record.decisions:
        yield from (decided.option, decided.reason)
    for step in record.manual_steps:
        yield from (step.question, step.answer, step.owner, step.skipped)


def _done(record: Record) -> Iterator[object]:
    for action in record.actions:
        yield from (action.title, action.event.call)
        yield from (action.acted.reason,) if action.acted else ()
        yield from (action.undone.reason,) if action.undone else ()
