"""The first draft of a postmortem: the record's facts in order, and questions for the rest.

The shape is that of the SRE book. Nothing is invented: what the record does not know stays a
question, and causes are left to people.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from runbook_nb.errors import IncidentStateError
from runbook_nb.incident.cards.describe import face
from runbook_nb.record.facts import Record
from runbook_nb.record.facts.remarks import EDITS
from runbook_nb.record.facts.resolution import Resolution
from runbook_nb.record.history.similarity import Similar
from runbook_nb.record.postmortem.assessment import badly, lucky, well
from runbook_nb.record.postmortem.markdown import code, plain, table
from runbook_nb.record.postmortem.roles import Roles
from runbook_nb.text.files import write_atomically
from runbook_nb.text.formatting import day_and_time, listed
from runbook_nb.timeline.events import Acted, Checked, Event, IncidentStatus, Outcome, Verdict
from runbook_nb.timeline.folder import PAGE

FILE: Final = "postmortem.md"
_MARK: Final = "<!-- draft "
_TOLD: Final = frozenset(
    {
        "opened",
        "reported",
        "alerted",
        "decided",
        "approved",
        "verified",
        "undone",
        "noted",
        "closed",
    }
)


def draft_postmortem(
    record: Record, events: Sequence[Event], *, before: Sequence[Similar] = ()
) -> str:
    """Return the draft as Markdown; it stands beside the incident's folder, and links into it.

    Within the folder it would be a file that nobody sealed. ``before`` are past incidents like it.
    """
    roles = Roles(events)
    parts = (
        _head(record),
        _section("Summary", _summary(record, roles)),
        _section("Impact", _impact(record, roles)),
        _section("Root causes", _causes(record, roles)),
        _section("Trigger", _asked("What set it off at that moment?")),
        _section("Detection", _detection(record, roles, before)),
        _section("Resolution", _resolution(record, roles)),
        _section("Timeline", _timeline(record, events, roles)),
        _section("What went well", _facts(well(record), roles)),
        _section("What went badly", _facts(badly(record), roles)),
        _section("Where we got lucky", _facts(lucky(record), roles)),
        _section("Action items", _action_items(record, roles)),
    )
    body = "\n".join(line for part in parts for line in part)
    return f"{body}\n{_MARK}{_digest(body)} -->\n"


def write_draft(path: Path, draft: str, *, force: bool) -> None:
    """Write a draft; raises IncidentStateError where somebody has edited the one that is there."""
    if path.exists() and not force and _was_edited(path.read_text(encoding="utf-8")):
        message = (
            f"{path} was edited since it was drafted. Give another file with --to, "
            "or --force to lose the edits."
        )
        raise IncidentStateError(message)
    write_atomically(path, draft)


def _was_edited(text: str) -> bool:
    body, _, mark = text.rpartition(f"\n{_MARK}")
    return mark.strip() != f"{_digest(body)} -->"


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _section(title: str, lines: Iterator[str]) -> list[str]:
    return ["", f"## {title}", "", *lines]


def _head(record: Record) -> list[str]:
    title = plain(record.name or "an incident without a readable beginning")
    lines = [f"# Postmortem {plain(record.id)}: {title}", ""]
    if record.status is IncidentStatus.OPEN:
        lines += ["> The incident is still open: this draft is not the whole story.", ""]
    if not record.integrity.valid:
        lines += [f"> The record is not whole. {plain(record.integrity.message)}", ""]
    rows = [
        ("Severity", plain(record.severity) or "?"),
        ("Environment", plain(record.environment) or "?"),
        ("Runbooks", plain(", ".join(record.runbooks)) or "none"),
        ("Opened", day_and_time(record.opened_at) if record.opened_at else "?"),
        ("Closed", day_and_time(record.closed_at) if record.closed_at else "still open"),
        ("Commander", plain(record.statement.commander) or "?"),
        ("Record", f"[{PAGE}]({_page(record)}), head `{record.integrity.head[:16]}`"),
        ("Status", "draft; reviewed by: ?"),
    ]
    return [*lines, *table(("", ""), rows)]


def _summary(record: Record, roles: Roles) -> Iterator[str]:
    yield from (plain(roles.without_names(sentence), 1000) for sentence in record.summary)
    if record.resolution:
        yield f"In the words of who closed it: {plain(roles.without_names(record.resolution))}"
    yield ""
    for report in record.reports:
        yield f"Reported in these words: “{plain(roles.without_names(report.words), 1000)}”"
    if record.statement.users_saw:
        yield f"Users saw: {plain(roles.without_names(record.statement.users_saw), 1000)}"
        return
    yield "- [ ] Is this what users saw? Say it in their words."


def _causes(record: Record, roles: Roles) -> Iterator[str]:
    if record.statement.cause:
        cause = plain(roles.without_names(record.statement.cause), 1000)
        yield f"In the words of who closed it: {cause}"
        yield ""
    else:
        yield "- [ ] What made this possible?"
    yield from _asked("Why did nothing stop it?")


def _impact(record: Record, roles: Roles) -> Iterator[str]:
    rows = [
        (
            plain(figure.name),
            plain(figure.value) if figure.basis != "unknown" else "?",
            figure.basis.value,
            _evidence(record, figure.seq) if figure.seq else plain(figure.source) or "—",
        )
        for figure in record.impact
    ]
    yield from table(("what", "how much", "how it is known", "from"), rows)
    yield ""
    for message in record.communication.messages:
        told = plain(roles.without_names(f"{message.said} {message.told}".strip()), 1000)
        when = f"Told on {day_and_time(message.at)}" if message.sent else "Not told"
        yield f"- {when}, {plain(listed(message.channels)) or roles.of(message.by)}: {told}"
    yield from _asked("Which customers were affected, and were they told?", "Was data lost?")


def _detection(record: Record, roles: Roles, before: Sequence[Similar]) -> Iterator[str]:
    if record.alert:
        yield f"Found by the alert {plain(record.alert.name)}: {plain(record.alert.summary)}"
    else:
        yield "No alert is on the timeline: it was opened by hand."
    for phase in record.phases[:2]:
        if phase.at:
            how = plain(roles.without_names(phase.how))
            yield f"{phase.name} at {day_and_time(phase.at)}{_after(phase.said)}: {how}."
    yield ""
    # The words of a past resolution may name people whose roles are not known here.
    for each in before:
        why = plain(roles.without_names(each.why))
        yield f"- Seen before: [{plain(each.incident)}]({quote(each.incident)}/{PAGE}): {why}."
    if before:
        yield from _asked("What was learned then, and why did it come back?")
    yield from _asked("Could it have been found earlier? By what?")


def _after(said: str) -> str:
    return f", {said}" if said else ""


def _resolution(record: Record, roles: Roles) -> Iterator[str]:
    done = [action for action in record.actions if action.is_done]
    for action in done:
        event = action.event
        yield (
            f"- {plain(action.title)}: {code(event.call)}, done at {day_and_time(event.at)} by "
            f"{roles.of(event.by)}{_because(action.because)}."
        )
    yield f"- **{plain(record.headline.said)}.** {_what_says_so(record.resolved)}".rstrip()
    if not done:
        yield "Nothing on the timeline changed the platform."
        yield ""
        yield from _asked("What ended it?")


def _because(titles: Sequence[str]) -> str:
    return f", because {plain(listed(titles), 1000)} failed" if titles else ""


def _what_says_so(resolved: Resolution) -> str:
    """Name the checks that say whether it was fixed."""
    told = {
        "Pass since": resolved.passing,
        "Fail": resolved.failing,
        "Neither pass nor fail": resolved.doubtful,
        "Not read again": resolved.unread,
        "Passed, and failed again": resolved.broke,
    }
    named = (f"{how}: {plain(listed(titles), 2000)}." for how, titles in told.items() if titles)
    return " ".join(named)


def _timeline(record: Record, events: Sequence[Event], roles: Roles) -> Iterator[str]:
    rows = []
    for seq, event in enumerate(events, start=1):
        if _belongs(event):
            shown = face(event)
            said = plain(f"{shown.word.lower()}: {roles.without_names(shown.said)}")
            rows.append((day_and_time(event.at), said, roles.of(event.by), _evidence(record, seq)))
    yield from table(("when (UTC)", "what", "who", "evidence"), rows)


def _belongs(event: Event) -> bool:
    """Tell whether an event is part of the story: no check that passed, nothing left alone."""
    if isinstance(event, Checked):
        return event.verdict in (Verdict.FAIL, Verdict.UNKNOWN) and event.purpose == "check"
    if isinstance(event, Acted):
        return event.outcome in (Outcome.DONE, Outcome.FAILED, Outcome.REHEARSED)
    return event.kind in _TOLD


def _facts(facts: Sequence[str], roles: Roles) -> Iterator[str]:
    yield from (f"- {plain(roles.without_names(fact))}" for fact in facts)
    yield "- [ ] What else?"


def _action_items(record: Record, roles: Roles) -> Iterator[str]:
    # An item without a name is nobody's, so the owners stand here as they were given.
    rows = [
        (
            plain(roles.without_names(each.text), 1000),
            "follow-up",
            plain(each.owner) or "?",
            "?",
            "",
        )
        for each in record.statement.follow_ups
    ]
    rows += [("?", kind, "?", "?", "") for kind in ("prevent", "detect", "mitigate", "process")]
    for remark in record.remarks:
        if remark.kind in EDITS:
            step = f" ({plain(remark.step)})" if remark.step else ""
            edit = f"{EDITS[remark.kind]}: {plain(roles.without_names(remark.said))}{step}"
            rows.append((edit, "runbook", "?", "?", plain(remark.runbook)))
    yield from table(("what", "type", "owner", "due", "where"), rows)
    yield ""
    yield "`runbook review` lists the edits of runbooks until they are dealt with."


def _asked(*questions: str) -> Iterator[str]:
    yield from (f"- [ ] {question}" for question in questions)


def _evidence(record: Record, seq: int) -> str:
    """Link to an event in the record's page, by its number on the timeline."""
    return f"[event {seq}]({_page(record)}#event-{seq})"


def _page(record: Record) -> str:
    return f"{quote(record.id)}/{PAGE}"
