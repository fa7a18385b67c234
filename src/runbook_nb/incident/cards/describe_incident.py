"""The faces of what happens around the steps: the incident, its runs, approvals, notes, edits."""

from runbook_nb.incident.cards.description import (
    Face,
    Tone,
    alerting,
    face,
    folded,
    kept,
    named_approver,
    says_to_be,
    took,
)
from runbook_nb.text.formatting import day_and_clock, difference
from runbook_nb.timeline.events import (
    Alerted,
    Approved,
    Changed,
    Classified,
    Cleared,
    Closed,
    Ended,
    FollowUp,
    Noted,
    Opened,
    Reported,
    Started,
    Stopped,
)


@face.register
def _opened(event: Opened) -> Face:
    facts = [("Severity", event.severity), ("Environment", event.environment)]
    facts += [("Runbook", event.runbook), *alerting(event.alert), ("By", event.by)]
    return Face(
        at=event.at, word="OPENED", title=f"{event.incident}: {event.title}", facts=kept(facts)
    )


@face.register
def _reported(event: Reported) -> Face:
    return Face(at=event.at, word="REPORTED", title=event.words, facts=kept([("By", event.by)]))


@face.register
def _alerted(event: Alerted) -> Face:
    return Face(
        at=event.at,
        word="ALERT",
        title=event.alert.name,
        lead=event.alert.summary,
        facts=kept([("Severity", event.alert.severity), ("Says", event.alert.description)]),
        folds=folded(("Labels", event.alert.labels)),
    )


@face.register
def _cleared(event: Cleared) -> Face:
    return Face(
        at=event.at,
        word="RESOLVED",
        title=event.alert.name,
        lead="The alert manager says so; the checks say whether it is over",
        facts=kept([("Says", event.alert.summary)]),
    )


@face.register
def _classified(event: Classified) -> Face:
    return Face(
        at=event.at,
        word="SEVERITY",
        title=event.severity,
        lead=event.because,
        facts=kept([("Before", event.before), ("By", event.by)]),
    )


@face.register
def _started(event: Started) -> Face:
    facts = [("Environment", event.environment), ("By", event.by)]
    if event.order:
        facts.append(("Order", f"{event.order}, attempt {event.attempt}"))
    return Face(
        at=event.at,
        word="STARTED",
        title=event.runbook,
        lead="Attended" if event.attended else "Unattended: nobody is asked",
        facts=kept(facts),
        folds=folded(("Parameters", event.parameters), ("Versions", event.versions)),
    )


@face.register
def _approved(event: Approved) -> Face:
    facts = [("By", named_approver(event)), ("Asked for by", says_to_be(event.requested_by))]
    facts.append(("Holds until", day_and_clock(event.expires_at)))
    return Face(
        at=event.at,
        word="APPROVED",
        title=event.option,
        facts=kept(facts),
        folds=folded(("Calls", event.calls)),
    )


@face.register
def _noted(event: Noted) -> Face:
    by = "the runbook" if event.runbook else event.by
    return Face(at=event.at, word="NOTE", title=event.text, facts=kept([("By", by)]))


@face.register
def _stopped(event: Stopped) -> Face:
    return Face(at=event.at, word="STOPPED", title=event.reason, facts=kept([("By", event.by)]))


@face.register
def _ended(event: Ended) -> Face:
    return Face(
        at=event.at,
        tone=Tone.PLAIN if event.complete else Tone.WARN,
        word="ENDED" if event.complete else "CUT OFF",
        title=event.runbook,
        lead="Ran to its end" if event.complete else "Did not run to its end",
        facts=kept([("Reason", event.reason), ("Took", took(event.took_s))]),
    )


@face.register
def _closed(event: Closed) -> Face:
    title = event.resolution or "The incident is closed"
    word, stated = "DISCARDED" if event.discarded else "CLOSED", event.statement
    facts = [("Cause", stated.cause), ("Users saw", stated.users_saw)]
    facts += [("Follow-up", follow_up_words(each)) for each in stated.follow_ups]
    facts += [("Commander", stated.commander), ("By", event.by)]
    return Face(at=event.at, word=word, title=title, facts=kept(facts))


def follow_up_words(follow_up: FollowUp) -> str:
    """Say what is to be done, and by whom if that is known."""
    return f"{follow_up.text} ({follow_up.owner})" if follow_up.owner else follow_up.text


@face.register
def _changed(event: Changed) -> Face:
    return Face(
        at=event.at,
        tone=Tone.WARN,
        word="CHANGED",
        title=event.title or event.verb,
        lead=f"The {event.verb} that ran is not the runbook's",
        facts=kept([("By", event.by)]),
        folds=folded(("Difference", difference(event.before, event.after))),
    )
