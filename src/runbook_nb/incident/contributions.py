"""What a person adds to an incident by a command: notes, answers to manual steps, its severity."""

from datetime import UTC, datetime
from pathlib import Path

from runbook_nb.errors import IncidentStateError, ParameterError, StepNotFoundError, near
from runbook_nb.incident.known_incident import last_runbook, writable
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Asked, Classified, Noted
from runbook_nb.timeline.incidents import refuse_closed
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.writer import WritableTimeline


def note(incidents: Path, incident: str, *, text: str, by: str) -> Noted:
    """Add words; raises IncidentStateError for a closed incident, ParameterError for no words."""
    timeline = _open(incidents, incident)
    return timeline.append(Noted(at=datetime.now(UTC), by=by, text=_words(text, what="note")))


def answer(incidents: Path, incident: str, question: str, *, text: str, by: str) -> Asked:
    """Answer a manual step, named by a part of its question that no other one has.

    Raises StepNotFoundError with the open questions where none or several are meant.
    """
    timeline = _open(incidents, incident)
    asked = _meant(timeline, question)
    stated = _words(text, what="answer")
    return timeline.append(
        Asked(
            at=datetime.now(UTC),
            run=asked.run,
            by=by,
            question=asked.question,
            owner=asked.owner,
            answer=stated,
        )
    )


def classify(incidents: Path, incident: str, *, severity: str, because: str, by: str) -> Classified:
    """Give an incident another severity, one of those that it was opened with.

    Its clocks go by the new one from now on. Raises ParameterError for an unknown severity, and
    IncidentStateError where it has that one already.
    """
    timeline = _open(incidents, incident)
    terms, before = queries.terms_of(timeline), queries.severity_of(timeline)
    known = [each.name for each in terms.severities]
    meant = terms.of(severity)
    if known and meant is None:
        message = f"No severity is called {severity!r} here. {near(severity, known)}"
        raise ParameterError(message)
    wanted = meant.name if meant else _words(severity, what="severity")
    if wanted == before:
        message = f"{incident} is a {before} already; nothing was changed."
        raise IncidentStateError(message)
    reason = _words(because, what="reason")
    return timeline.append(
        Classified(at=datetime.now(UTC), by=by, severity=wanted, before=before, because=reason)
    )


def _open(incidents: Path, incident: str) -> WritableTimeline:
    timeline = writable(incidents, incident)
    refuse_closed(timeline)
    return timeline


def _words(text: str, *, what: str) -> str:
    if not text.strip():
        message = f"The {what} is empty. Say it in a sentence, in quotes."
        raise ParameterError(message)
    return text.strip()


def _meant(timeline: Timeline, question: str) -> Asked:
    """Return the newest state of the manual step that is meant, or its first one from the text."""
    steps = {step.question: step for step in queries.manual_steps(timeline)}
    runbook = last_runbook(timeline)
    for step in runbook.steps:
        if step.verb == "ask" and step.title not in steps:
            owner = str(step.words.get("owner", ""))
            put = Asked(at=datetime.now(UTC), question=step.title, owner=owner)
            steps[step.title] = put
    wanted = question.strip().casefold()
    exact = [step for name, step in steps.items() if name.casefold() == wanted]
    found = exact or [step for name, step in steps.items() if wanted and wanted in name.casefold()]
    if len(found) == 1:
        return found[0]
    waiting = [step.question for step in steps.values() if step.is_open] or list(steps)
    listed = "".join(f"\n  {each}" for each in waiting)
    fits = "Several manual steps fit" if found else "No manual step fits"
    message = f"{fits} {question!r}. Give more of one of them:{listed or ' there is none.'}"
    raise StepNotFoundError(message)
