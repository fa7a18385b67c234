"""The board as data for a machine: checks, the option, open questions, and the next command."""

from typing import Any

from runbook_nb.incident.board.facts import Board, BoardStep, StepState
from runbook_nb.runbook.steps import letter
from runbook_nb.timeline.events import Acted, Asked, Checked, Verified

READINGS = ("check", "verify")
_LEFT = frozenset({StepState.REHEARSED, StepState.DECLINED})


def status_facts(board: Board) -> dict[str, Any]:
    """Return what a board shows as JSON: times in UTC, durations in seconds."""
    decided = board.decided
    return {
        "incident": board.incident,
        "title": board.title,
        "severity": board.severity,
        "environment": board.environment,
        "production": board.production,
        "runbook": board.runbook,
        "opened_at": board.opened_at,
        "closed_at": board.closed_at,
        "update_due": board.update_due.at if board.update_due else None,
        "escalation_due": board.escalation_due.at if board.escalation_due else None,
        "checks": [_reading(step) for step in board.steps if step.verb in READINGS],
        "option": decided.option if decided else None,
        "recommended": decided.recommended if decided else None,
        "actions": [_action(step) for step in board.steps if step.verb == "act"],
        "open_questions": [
            {"question": step.event.question, "owner": step.event.owner}
            for step in board.steps
            if isinstance(step.event, Asked) and step.standing is StepState.OPEN
        ],
        "next_step": board.next_step.title if board.next_step else None,
        "next_command": next_command(board),
    }


def next_command(board: Board) -> str:
    """Return the command that goes on from here; empty where the incident is closed."""
    if board.closed_at is not None:
        return ""
    run = f"runbook run {board.runbook} --incident {board.incident}"
    if option := unapproved(board):
        return f"{run} --approve {letter(option)}"
    if board.decided is None:
        return run
    return f"runbook close {board.incident}"


def unapproved(board: Board) -> str:
    """Return the option that was decided on, and whose actions wait for a yes; empty for none."""
    option = board.decided.option if board.decided and board.closed_at is None else None
    if not option:
        return ""
    chosen = {step.standing for step in board.steps if step.option == option}
    return option if chosen & _LEFT and StepState.DONE not in chosen else ""


def _reading(step: BoardStep) -> dict[str, Any]:
    event = step.event
    read = event if isinstance(event, Checked | Verified) else None
    return {
        "verb": step.verb,
        "title": step.title,
        "state": step.standing,
        "answer": read.evidence.answer if read else None,
        "unit": read.evidence.unit if read else "",
        "expect": read.expect if read else "",
        "reason": read.evidence.reason if read else "",
        "read_at": read.evidence.read_at if read else None,
        "stale": step.stale,
    }


def _action(step: BoardStep) -> dict[str, Any]:
    acted = step.event if isinstance(step.event, Acted) else None
    return {
        "title": step.title,
        "option": step.option,
        "state": step.standing,
        "call": acted.call if acted else "",
        "reason": acted.reason if acted else "",
        "risk": acted.risk if acted else "",
        "undo": acted.undo if acted else "",
    }
