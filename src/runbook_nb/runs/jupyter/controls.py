"""What a responder does from the board, without a cell: note, answer, severity, undo, close."""

from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from runbook_nb.errors import ParameterError
from runbook_nb.incident import contributions
from runbook_nb.incident.board import Board, BoardStep, StepState
from runbook_nb.incident.settle import how_to_settle
from runbook_nb.record.close import close
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline import queries
from runbook_nb.timeline.events import Asked, ClosingStatement, FollowUp
from runbook_nb.timeline.log import Timeline

# What else a close may state, each a line that may stay empty.
_STATED: Final = (
    ("cause", "Its cause"),
    ("commander", "Who commanded"),
    ("users_saw", "What users saw"),
    ("follow_up", "What is to follow"),
    ("owner", "Who does that"),
)
_WRONG: Final = frozenset({StepState.FAIL, StepState.UNKNOWN})


def controls_html(board: Board, timeline: Timeline) -> str:
    """Return the forms that fit an incident as it stands; none once it is closed."""
    if board.closed_at is not None:
        return ""
    forms = (
        _note(),
        *_answers(board),
        _severity(board),
        *_undos(timeline, board.environment),
        _close(board, timeline),
    )
    return f'<section class="rb-controls" aria-label="Write and end">{"".join(forms)}</section>'


def does(incidents: Path, incident: str, asked: Mapping[str, Any], *, by: str) -> str:
    """Do what a form asks for, and say in a line what was done.

    Raises ParameterError for what no form asks, and what the commands raise.
    """
    known: dict[str, Callable[..., str]] = {
        "note": _does_note,
        "answer": _does_answer,
        "severity": _does_severity,
        "close": _does_close,
    }
    wanted, words = asked.get("does"), asked.get("words")
    if wanted not in known or not isinstance(words, Mapping):
        message = f"Nothing here does {wanted!r}: {', '.join(known)}."
        raise ParameterError(message)
    if not all(isinstance(value, str) for value in words.values()):
        message = "Say it in words."
        raise ParameterError(message)
    return known[wanted](incidents, incident, words, by=by)


def _does_note(incidents: Path, incident: str, words: Mapping[str, str], *, by: str) -> str:
    added = contributions.note(incidents, incident, text=words.get("text", ""), by=by)
    return f"Noted: {added.text}"


def _does_answer(incidents: Path, incident: str, words: Mapping[str, str], *, by: str) -> str:
    question, text = words.get("question", ""), words.get("text", "")
    added = contributions.answer(incidents, incident, question, text=text, by=by)
    return f"Answered: {added.question}"


def _does_severity(incidents: Path, incident: str, words: Mapping[str, str], *, by: str) -> str:
    to, because = words.get("severity", ""), words.get("because", "")
    done = contributions.classify(incidents, incident, severity=to, because=because, by=by)
    return f"{incident} is a {done.severity} now; it was a {done.before}."


def _does_close(incidents: Path, incident: str, words: Mapping[str, str], *, by: str) -> str:
    said = {name: text.strip() for name, text in words.items()}
    follow_up = FollowUp(text=said.get("follow_up", ""), owner=said.get("owner", ""))
    if follow_up.owner and not follow_up.text:
        message = f"Say what {follow_up.owner} does afterwards, or name nobody."
        raise ParameterError(message)
    statement = ClosingStatement(
        cause=said.get("cause", ""),
        commander=said.get("commander", ""),
        users_saw=said.get("users_saw", ""),
        follow_ups=(follow_up,) if follow_up.text else (),
    )
    resolution = said.get("resolution", "")
    done = close(incidents, incident, by=by, resolution=resolution, statement=statement)
    left = how_to_settle(incident, done.begun)
    told = f"{incident} is closed, and its record is made: {done.page.name}."
    post = f"Post this {f'in {done.channel}' if done.channel else 'where others keep it'}:"
    return "\n".join([told, *left, post, done.message])


def _note() -> str:
    return _form("Note", "note", _area("text", "What was seen, said or done"), "Write it")


def _answers(board: Board) -> Iterator[str]:
    for step in board.steps:
        if isinstance(step.event, Asked) and step.standing is StepState.OPEN:
            question = step.event.question
            area = _area("text", "What was done, or what is seen")
            fields = f"{_hidden('question', question)}{area}"
            yield _form(f"Answer: {question}", "answer", fields, "Answer")


def _severity(board: Board) -> str:
    names = [each.name for each in board.terms.severities if each.name != board.severity]
    if not names:
        return ""
    options = "".join(f"<option>{escape(name)}</option>" for name in names)
    chosen = f'<label>It is a <select name="severity">{options}</select></label>'
    fields = f"{chosen}{_area('because', 'Because')}"
    return _form(f"Severity {board.severity}", "severity", fields, "Change it")


def _undos(timeline: Timeline, environment: str) -> Iterator[str]:
    """Yield a button for each action that stands; it runs a step, which asks as an action does."""
    for done in reversed(queries.standing(queries.in_environment(timeline, environment))):
        call = escape(f"incident.undo({done.title!r})")
        said = escape(one_line(f"Undo {done.title}"))
        yield f'<p><button type="button" data-runs="{call}">{said} …</button></p>'


def _close(board: Board, timeline: Timeline) -> str:
    wrong = [step for step in board.steps if step.verb in ("check", "verify") and _is_wrong(step)]
    warnings = [f"{step.standing}: {step.title}" for step in wrong]
    warnings += [f"not answered: {each.question}" for each in queries.open_questions(timeline)]
    warnings += [f"may be half done: {each.title}" for each in queries.unsettled(timeline)]
    told = "".join(f"<li>{escape(one_line(each))}</li>" for each in warnings)
    warned = f"<p><strong>Still open:</strong></p><ul>{told}</ul>" if told else ""
    asked = [
        _area("resolution", "What ended it, in a sentence"),
        *(_line(name, label) for name, label in _STATED),
    ]
    fields = f"{warned}{''.join(asked)}"
    return _form(f"Close {board.incident}", "close", fields, "Close it and make the record")


def _is_wrong(step: BoardStep) -> bool:
    return step.standing in _WRONG


def _form(title: str, does_what: str, fields: str, button: str) -> str:
    return (
        f"<details><summary>{escape(one_line(title))}</summary>"
        f'<form data-does="{does_what}">{fields}<button>{escape(button)}</button></form></details>'
    )


def _area(name: str, label: str) -> str:
    return (
        f"<label>{escape(one_line(label))}"
        f'<textarea name="{name}" rows="2" required></textarea></label>'
    )


def _line(name: str, label: str) -> str:
    return f'<label>{escape(label)}<input type="text" name="{name}"></label>'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'
