"""The face of each kind of step: what its event says, before it becomes text or HTML."""

from datetime import timedelta

from runbook_nb.incident.cards.description import (
    OUTCOME_TONES,
    Face,
    Tone,
    against,
    agreed_by,
    choice,
    evidence_folds,
    face,
    folded,
    grounds,
    kept,
    reading_words,
    rejected,
    terms,
    took,
)
from runbook_nb.text.formatting import clock, listed
from runbook_nb.timeline.events import (
    Acted,
    Acting,
    Asked,
    Checked,
    Decided,
    Outcome,
    Sending,
    Settled,
    Settlement,
    Undone,
    Verdict,
    Verified,
)


@face.register
def _checked(event: Checked) -> Face:
    evidence = event.evidence
    facts = [("Reason", evidence.reason)]
    if event.verdict is not Verdict.PASS and event.fail:
        facts.append(("Fails when", event.fail))
    if event.purpose != "check":
        facts.append(("Purpose", event.purpose))
    if event.reading > 1:
        facts.append(("Reading", f"number {event.reading}"))
    until = clock(evidence.read_at + timedelta(seconds=event.fresh_s))
    facts.append(("Read", f"{reading_words(event, evidence)}; stale after {until}"))
    return Face(
        at=event.at,
        tone=Tone(event.verdict.value),
        word=event.verdict.upper(),
        title=event.title,
        lead=against(evidence, event.expect, event.fail),
        facts=kept(facts),
        folds=evidence_folds(evidence),
        next_step=event.if_failed if event.verdict is Verdict.FAIL else "",
    )


@face.register
def _decided(event: Decided) -> Face:
    facts = [("Why", event.reason or grounds(event))]
    facts += [("Rejected", f"{heading}. {why}.") for heading, why in rejected(event)]
    if event.stale:
        facts.append(("Stale", f"{listed(event.stale)}: run these checks again first"))
    if event.option is None and event.try_next:
        facts.append(("Try next", listed(event.try_next)))
    return Face(
        at=event.at,
        tone=Tone.PLAIN if event.option else Tone(event.verdict.value),
        word="DECIDED",
        title=choice(event),
        facts=kept(facts),
        next_step=event.option or "",
    )


@face.register
def _acting(event: Acting) -> Face:
    return Face(
        at=event.at,
        tone=Tone.WARN,
        word="ACTION",
        title=event.title,
        lead=event.call,
        facts=kept([*terms(event), ("Approved by", agreed_by(event))]),
        folds=folded(("Rehearsal: what it would change", event.rehearsal)),
        unfolded=True,
    )


@face.register
def _sending(event: Sending) -> Face:
    what = f"transaction {event.transaction} is about to be committed"
    return Face(
        at=event.at,
        word="SENDING",
        title=event.title,
        lead=f"{event.system}: {what if event.transaction else 'a change is about to be sent'}",
    )


@face.register
def _settled(event: Settled) -> Face:
    done = event.outcome is Settlement.DONE
    return Face(
        at=event.at,
        tone=OUTCOME_TONES[Outcome.DONE] if done else Tone.WARN,
        word="SETTLED: DONE" if done else "SETTLED: NOT DONE",
        title=event.title,
        lead=event.call,
        facts=kept([("Evidence", event.evidence), ("Because", event.because), ("By", event.by)]),
    )


@face.register
def _acted(event: Acted) -> Face:
    facts = [("Reason", event.reason), *terms(event)]
    return Face(
        at=event.at,
        tone=OUTCOME_TONES[event.outcome],
        word=event.outcome.replace("_", " ").upper(),
        title=event.title,
        lead=event.call,
        facts=kept([*facts, ("Took", took(event.took_s))]),
        folds=folded(
            ("Result", event.result), ("Rehearsal: what it would change", event.rehearsal)
        ),
    )


@face.register
def _verified(event: Verified) -> Face:
    read = f"{event.readings} of {event.wanted} readings in a row passed"
    facts = [("Reason", event.evidence.reason), ("Readings", read)]
    facts.append(("Waited" if event.waited else "Read once, took", took(event.took_s)))
    facts.append(("Read", reading_words(event, event.evidence)))
    return Face(
        at=event.at,
        tone=Tone(event.verdict.value),
        word="VERIFIED" if event.verdict is Verdict.PASS else f"NOT VERIFIED: {event.verdict}",
        title=event.title,
        lead=against(event.evidence, event.expect),
        facts=kept(facts),
        folds=evidence_folds(event.evidence),
    )


@face.register
def _undone(event: Undone) -> Face:
    outcome = event.outcome
    return Face(
        at=event.at,
        tone=OUTCOME_TONES[outcome],
        word="UNDONE" if outcome is Outcome.DONE else f"UNDO {outcome.replace('_', ' ').upper()}",
        title=event.title,
        lead=event.call,
        facts=kept([("Reason", event.reason), ("Took", took(event.took_s))]),
        folds=folded(("Result", event.result)),
    )


@face.register
def _asked(event: Asked) -> Face:
    open_step = event.answer is None
    return Face(
        at=event.at,
        tone=Tone.WARN if open_step else Tone.PLAIN,
        word="OPEN" if open_step else "ANSWERED",
        title=event.question,
        lead="Nobody has answered yet" if event.answer is None else event.answer,
        facts=kept([("Owner", event.owner), ("Answered by", "" if open_step else event.by)]),
    )
