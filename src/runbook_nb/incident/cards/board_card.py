"""The board as text and as HTML: where the incident stands, what is due, what comes next."""

from collections import Counter
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from runbook_nb.incident.board import Board, BoardStep, Due, Person, Section, StepState
from runbook_nb.incident.cards.card import link, production_banner, style
from runbook_nb.incident.cards.describe import face
from runbook_nb.incident.cards.description import SIGNS, Tone, against, choice, named_approver
from runbook_nb.text.durations import words
from runbook_nb.text.formatting import clock, counted, listed, one_line
from runbook_nb.timeline.events import Acted, Asked, Checked, Decided, Outcome, Undone, Verified

_TONES: Final = {
    StepState.PASS: Tone.GOOD,
    StepState.WARN: Tone.WARN,
    StepState.UNKNOWN: Tone.UNKNOWN,
    StepState.FAIL: Tone.FAIL,
    StepState.BEGUN: Tone.WARN,
    StepState.DONE: Tone.GOOD,
    StepState.FAILED: Tone.FAIL,
    StepState.OPEN: Tone.WARN,
    StepState.ANSWERED: Tone.GOOD,
    StepState.DECIDED: Tone.PLAIN,
}
_QUIET: Final = {StepState.NOT_RUN: "○", StepState.NOT_CHOSEN: "⊘"}
_LEFT: Final = frozenset({StepState.DECLINED, StepState.REHEARSED})
_MINUTES_ARE_ENOUGH_S: Final = 120
# JupyterLab forgets where a display stands when its page is loaded again.
_AGAIN: Final = ". Run this cell again if it lacks a step that has run."
_DRAWN: Final = "  Drawn at "
_LOUD: Final = frozenset({Tone.WARN, Tone.UNKNOWN, Tone.FAIL})


def board_text(board: Board) -> str:
    """Return the board for a terminal."""
    return "\n".join(_text(board))


def is_board_of(text: str, incident: str) -> bool:
    """Tell whether a text is that of a board of an incident, as it was drawn some time."""
    *_, last = text.splitlines() or [""]
    titled = any(line.startswith(f"{one_line(incident)}: ") for line in text.splitlines()[:2])
    return titled and last.startswith(_DRAWN)


def board_html(board: Board, *, hint: str = "") -> str:
    """Return the board as HTML, every value escaped; ``style()`` is its style sheet.

    ``hint`` is said beside the time at which it was drawn.
    """
    return "".join(_html(board, hint))


def board_head(board: Board) -> str:
    """Return the head of the board as text: the incident, its clocks, and what comes next."""
    return "\n".join(_head(board))


def _head(board: Board) -> Iterator[str]:
    if board.production:
        yield f"PRODUCTION: {one_line(board.environment)}"
    yield f"{one_line(board.incident)}: {one_line(board.title)}"
    yield f"  {' · '.join(said for said, _ in _clocks(board))}"
    for label, value, _ in _facts(board):
        yield f"  {label}: {value}"


def _text(board: Board) -> Iterator[str]:
    yield from _head(board)
    for section in board.sections:
        yield f"  {one_line(section.name)}: {_counted(section)}"
        for step in section.steps:
            said = f": {detail}" if (detail := _detail(step)) else ""
            who = f" ({_who(step)})" if step.event else ""
            yield f"    {_sign(step)} {_word(step)}  {one_line(step.title)}{said}{who}"
    yield from (f"  {_said_of(person)}" for person in board.people)
    yield f"{_DRAWN}{clock(board.drawn_at)}"


def _html(board: Board, hint: str) -> Iterator[str]:
    incident = escape(one_line(board.incident))
    yield f'<section class="rb-board" role="region" aria-label="Board of {incident}">'
    if board.production:
        yield production_banner(board.environment)
    yield f'<p class="rb-lead"><strong>{incident}</strong> {escape(one_line(board.title))}</p>'
    clocks = (_clock_html(said, overdue=overdue) for said, overdue in _clocks(board))
    yield f'<p class="rb-clocks">{" · ".join(clocks)}</p>'
    for label, value, heading in _facts(board):
        shown = link(heading, value) if heading else escape(value)
        yield f"<p><i>{escape(label)}:</i> {shown}</p>"
    for section in board.sections:
        yield from _section_html(section, board)
    if board.people:
        people = "".join(f"<li>{escape(_said_of(person))}</li>" for person in board.people)
        yield f"<details><summary>People</summary><ul>{people}</ul></details>"
    yield f'<p class="rb-drawn">Drawn at {clock(board.drawn_at)}{escape(hint)}</p></section>'


def _section_html(section: Section, board: Board) -> Iterator[str]:
    loud = any(_tone(step) in _LOUD or step.stale or step.changed for step in section.steps)
    opened = " open" if loud or board.next_step in section.steps else ""
    name = escape(one_line(section.name))
    yield f"<details{opened}><summary><strong>{name}</strong> {_counted(section)}</summary><ul>"
    for step in section.steps:
        current = " rb-current" if step is board.next_step else ""
        yield f'<li class="rb-step rb-{_tone(step)}{current}" data-verb="{escape(step.verb)}">'
        yield f'<b><span aria-hidden="true">{_sign(step)}</span> {_word(step)}</b> '
        yield link(step.heading, step.title) if step.heading else escape(one_line(step.title))
        if detail := _detail(step):
            yield f" <span>{escape(detail)}</span>"
        yield f" <i>{escape(_who(step))}</i>" if step.event else ""
        yield "</li>"
    yield "</ul></details>"


def _clocks(board: Board) -> Iterator[tuple[str, bool]]:
    """Say severity, environment and clocks; each with whether it is overdue."""
    yield one_line(board.severity), False
    yield f"in {one_line(board.environment).upper()}", False
    state = "closed after" if board.closed_at else "open for"
    yield f"{state} {_rounded(board.elapsed_s)}", False
    for name, due in (("update", board.update_due), ("escalation", board.escalation_due)):
        if due:
            yield _said_due(name, due), due.left_s <= 0


def _rounded(seconds: float) -> str:
    """Say a duration, without its seconds where minutes are enough to act on."""
    exact = round(seconds)
    return words(exact if exact < _MINUTES_ARE_ENOUGH_S else exact // 60 * 60)


def _said_due(name: str, due: Due) -> str:
    when = _rounded(abs(due.left_s))
    if due.left_s <= 0:
        return f"{name} overdue by {when}"
    return f"next {name} due in {when} ({clock(due.at)})"


def _clock_html(said: str, *, overdue: bool) -> str:
    if overdue:
        return f'<b class="rb-fail"><span aria-hidden="true">!</span> {escape(said)}</b>'
    return escape(said)


def _facts(board: Board) -> Iterator[tuple[str, str, str]]:
    """Return label, value, and the heading it leads to."""
    if board.update_due and board.update_due.left_s <= 0:
        where = one_line(board.terms.update_channel)
        told = f"incident.note('Told {where or 'the others'}: …')"
        yield "Update", f"Tell the others{f' in {where}' if where else ''}, then run {told}", ""
    if board.terms.problem and board.closed_at is None:
        yield "Clocks", f"None runs: {one_line(board.terms.problem)}", ""
    if (decided := board.decided) is not None:
        other = decided.option and decided.option != decided.recommended
        instead = f", recommended was {decided.recommended or 'none'}" if other else ""
        by = f"{decided.by} {clock(decided.at)}".strip()
        yield "Chosen", one_line(f"{choice(decided)}{instead} ({by})"), decided.option or ""
    for approval in board.approvals:
        who = one_line(named_approver(approval))
        said = f"{one_line(approval.option)}, {who}, until {clock(approval.expires_at)}"
        yield "Approved", said, approval.option
    if (following := board.next_step) is not None:
        yield "Next", f"{following.verb}: {one_line(following.title)}", following.heading
    elif decided is not None and board.closed_at is None:
        yield "Next", *_ending(board, decided)


def _ending(board: Board, decided: Decided) -> tuple[str, str]:
    """Say what is left once every step has run, and the heading that leads to."""
    option = decided.option or ""
    chosen = {step.standing for step in board.steps if option and step.option == option}
    if chosen & _LEFT and StepState.DONE not in chosen:
        return "Nothing was done. Run the step of the option again, or choose anew.", option
    verified = (step for step in board.steps if step.verb == "verify" and step.event)
    if any(_tone(step) in _LOUD for step in verified):
        said = "It is not verified. Run the checks again and choose anew, or call the next level."
        return said, ""
    questions = sum(step.standing is StepState.OPEN for step in board.steps)
    waits = f"{counted(questions, 'question')} open. " if questions else ""
    return f"{waits}When nothing is left to do, close it: runbook close {board.incident}", ""


def _detail(step: BoardStep) -> str:
    """Say the newest event of a step in a few words."""
    marks = ["changed by the responder"] if step.changed else []
    match step.event:
        case Checked() | Verified() as event:
            fail = event.fail if isinstance(event, Checked) else ""
            marks.insert(0, against(event.evidence, event.expect, fail))
        case Asked(answer=answer) if answer:
            marks.insert(0, answer)
        case Decided(option=option):
            marks.insert(0, option or "nothing to fix")
        case Acted(outcome=outcome, reason=reason) if outcome is not Outcome.DONE and reason:
            marks.insert(0, reason)
        case Undone(reason=reason) if reason:
            marks.insert(0, reason)
    return one_line("; ".join(mark for mark in marks if mark))


def _counted(section: Section) -> str:
    counts = Counter(_word(step) for step in section.steps)
    return escape(listed(f"{count} {word}" for word, count in counts.items()))


def _word(step: BoardStep) -> str:
    if step.standing is StepState.BEGUN:
        return "begun, no outcome yet"
    return f"{step.standing}, stale" if step.stale else str(step.standing)


def _sign(step: BoardStep) -> str:
    return _QUIET.get(step.standing) or SIGNS[_tone(step)]


def _tone(step: BoardStep) -> Tone:
    return _TONES.get(step.standing, Tone.PLAIN)


def _who(step: BoardStep) -> str:
    event = step.event
    return f"{one_line(event.by)} {clock(event.at)}".strip() if event else ""


def _said_of(person: Person) -> str:
    shown = face(person.event)
    how = "by hand" if person.attended else "not by hand"
    did = f"{one_line(shown.word).lower()} {shown.said}".strip()
    return one_line(f"{person.name} ({how}), last at {clock(person.event.at)}: {did}")


class BoardCard:
    """The board to look at: HTML in a notebook, text on a terminal.

    ``attended`` adds how a responder gets a new one.
    """

    def __init__(self, board: Board, *, attended: bool = False) -> None:
        self.board, self._hint = board, _AGAIN if attended else ""

    def __repr__(self) -> str:
        """Return the board as text."""
        return board_text(self.board)

    def _repr_mimebundle_(
        self,
        include: object = None,  # noqa: ARG002 - the protocol of IPython passes it
        exclude: object = None,  # noqa: ARG002 - likewise
    ) -> dict[str, Any]:
        """Return the board as text and as HTML."""
        return {"text/plain": repr(self), "text/html": f"<style>{style()}</style>{self.html()}"}

    def html(self) -> str:
        """Return the board as HTML, every value escaped; ``style()`` is its style sheet."""
        return board_html(self.board, hint=self._hint)
