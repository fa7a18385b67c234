"""Fold the events of a timeline into facts, one function a kind of fact."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runbook_nb.record.facts.types import ActionFacts, CheckFacts, ReadingFacts, RunFacts
from runbook_nb.timeline.events import (
    UNDO,
    Acted,
    Acting,
    Asked,
    Changed,
    Checked,
    Decided,
    Ended,
    Event,
    Noted,
    Outcome,
    Settled,
    Started,
    Stopped,
    Undone,
    Verdict,
    Verified,
)
from runbook_nb.timeline.queries import worst


def fold_runs(events: Sequence[Event]) -> tuple[RunFacts, ...]:
    """Return every run in the order of their start."""
    runs: dict[str, RunFacts] = {}
    for event in events:
        if isinstance(event, Started):
            runs[event.run] = _begun(event, runs.get(event.run))
        elif event.run in runs:
            runs[event.run] = _continued(runs[event.run], event)
    return tuple(runs.values())


def fold_checks(events: Sequence[Event]) -> tuple[CheckFacts, ...]:
    """Return every check in the order of its first appearance, with first and last reading."""
    read: dict[str, list[tuple[int, Checked | Verified]]] = {}
    for seq, event in enumerate(events, start=1):
        if isinstance(event, Checked | Verified):
            read.setdefault(event.title, []).append((seq, event))
    return tuple(
        CheckFacts(
            title=title,
            before=known[0][1],
            after=known[-1][1] if len(known) > 1 else None,
            readings=tuple(_reading(event, seq) for seq, event in known),
            worst=worst(event.verdict for _, event in known),
        )
        for title, known in read.items()
    )


def fold_actions(events: Sequence[Event]) -> tuple[ActionFacts, ...]:
    """Return every attempt at an action: its begin, outcome and undo joined."""
    actions: list[ActionFacts] = []
    chosen: dict[str, str | None] = {}
    newest: dict[str, Verdict] = {}
    for event in events:
        if isinstance(event, Decided):
            chosen[event.run] = event.option
        elif isinstance(event, Checked | Verified):
            newest[event.title] = event.verdict
        elif isinstance(event, Acting):
            _begin(actions, event, because=_failed_of(event.because, newest))
        elif isinstance(event, Acted):
            _end(actions, event, because=_failed_of(event.because, newest))
            if is_passed_over(event, chosen):
                actions[-1] = replace(actions[-1], not_chosen=True)
        elif isinstance(event, Undone):
            _take_back(actions, event.title, undone=event)
        elif isinstance(event, Settled):
            _settle(actions, event)
    return tuple(actions)


def is_passed_over(event: Acted, chosen: Mapping[str, str | None]) -> bool:
    """Tell whether an action was left out since its run chose another option, or none."""
    others = event.option not in ("", chosen.get(event.run, event.option))
    return event.outcome is Outcome.DECLINED and others


def fold_changes(events: Sequence[Event]) -> tuple[Changed, ...]:
    """Return every edit of a step's cell once, as it ran last with that text."""
    edits: dict[tuple[str, str, str], Changed] = {}
    for event in events:
        if isinstance(event, Changed):
            edits[event.verb, event.title, event.after] = event
    return tuple(edits.values())


def fold_people(events: Sequence[Event]) -> tuple[str, ...]:
    """Return everybody who did something, in order of first appearance."""
    return tuple(dict.fromkeys(event.by for event in events if event.by))


def _reading(event: Checked | Verified, seq: int) -> ReadingFacts:
    evidence = event.evidence
    # Rows stand in the evidence; a reading over time is a number or a word.
    answer = None if isinstance(evidence.answer, list | tuple | dict) else evidence.answer
    return ReadingFacts(
        seq=seq,
        at=event.at,
        run=event.run,
        verdict=event.verdict,
        answer=answer,
        unit=evidence.unit,
    )


def _begun(event: Started, known: RunFacts | None) -> RunFacts:
    if known is not None:
        # The opening cell ran again: the run goes on, perhaps with another text.
        return replace(known, runbook_digest=event.runbook_digest, parameters=event.parameters)
    return RunFacts(
        run=event.run,
        runbook=event.runbook,
        runbook_digest=event.runbook_digest,
        environment=event.environment,
        by=event.by,
        attended=event.attended,
        production=event.production,
        parameters=event.parameters,
        versions=event.versions,
        notebook=event.notebook,
        started_at=event.at,
        order=event.order,
        attempt=event.attempt,
    )


def _continued(run: RunFacts, event: Event) -> RunFacts:
    if isinstance(event, Ended):
        return replace(run, ended_at=event.at, complete=event.complete, reason=event.reason)
    if isinstance(event, Stopped):
        return replace(run, stopped=event.reason)
    return replace(run, last_step=_step(event) or run.last_step)


def _step(event: Event) -> str:
    """Name the step that wrote an event, as its cell does."""
    if isinstance(event, Asked):
        return f"ask {event.question!r}"
    if isinstance(event, Decided):
        return "decide"
    if isinstance(event, Noted):
        return ""
    verbs: dict[type[Event], str] = {Checked: "check", Acting: "act", Acted: "act"}
    verbs |= {Verified: "verify", Undone: "undo"}
    verb = verbs.get(type(event))
    return f"{verb} {getattr(event, 'title', '')!r}" if verb else ""


def _failed_of(because: str, newest: Mapping[str, Verdict]) -> tuple[str, ...]:
    """Return the checks that an action names and that failed when they were last read."""
    named = [because] if because in newest else because.split("; ")
    return tuple(title for title in named if newest.get(title) is Verdict.FAIL)


def _begin(actions: list[ActionFacts], event: Acting, *, because: tuple[str, ...]) -> None:
    if event.title.startswith(UNDO) and _take_back(
        actions, event.title.removeprefix(UNDO), undoing=event
    ):
        return
    actions.append(ActionFacts(title=event.title, acting=event, because=because))


def _end(actions: list[ActionFacts], event: Acted, *, because: tuple[str, ...]) -> None:
    for index in reversed(range(len(actions))):
        begun = actions[index].acting
        if begun and event.attempt:
            if begun.attempt == event.attempt:
                actions[index] = replace(actions[index], acted=event)
                return
        elif begun and actions[index].acted is None and begun.title == event.title:
            if begun.run == event.run:
                actions[index] = replace(actions[index], acted=event)
                return
            break
    actions.append(ActionFacts(title=event.title, acted=event, because=because))


def _settle(actions: list[ActionFacts], event: Settled) -> None:
    """Join what was found out to its attempt; an older timeline named that by its title alone."""
    undoes = event.title.startswith(UNDO)
    for index in reversed(range(len(actions))):
        begun = actions[index].undoing if undoes else actions[index].acting
        if begun and begun.title == event.title and begun.attempt in ("", event.attempt):
            known = actions[index]
            actions[index] = (
                replace(known, undo_settled=event) if undoes else replace(known, settled=event)
            )
            return


def _take_back(
    actions: list[ActionFacts],
    title: str,
    *,
    undoing: Acting | None = None,
    undone: Undone | None = None,
) -> bool:
    """Join an undo to the newest done action of that title; False where there is none."""
    for index in reversed(range(len(actions))):
        if actions[index].title == title and actions[index].is_done:
            begun = undoing or actions[index].undoing
            actions[index] = replace(actions[index], undoing=begun, undone=undone)
            return True
    return False
