"""What people are told of an order: what was found, what is recommended, and how to go on."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import RunbookError
from runbook_nb.incident.board import Board, BoardStep, StepState, board_of
from runbook_nb.incident.board.status import READINGS, next_command, unapproved
from runbook_nb.incident.cards.description import against
from runbook_nb.incident.known_incident import last_runbook
from runbook_nb.service.notices import Notice
from runbook_nb.service.orders import KeptOrder
from runbook_nb.service.settings import ServiceSettings
from runbook_nb.service.sources.pagerduty import INCIDENT_LABEL
from runbook_nb.text.formatting import one_line
from runbook_nb.timeline.events import Acted, Checked, Event, Verified
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.queries import alerts

_READINGS_LIMIT: Final = 6  # lines of a notice, for a telephone
_TOLD: Final = {
    StepState.FAIL: "Fails",
    StepState.UNKNOWN: "Not read",
    StepState.WARN: "Warns",
}
_ACTIONS: Final = {
    StepState.DONE: "Done",
    StepState.FAILED: "Not done, it failed",
    StepState.BEGUN: "Begun, and may be half done",
}


def notice_of(
    order: KeptOrder, incidents: Path, settings: ServiceSettings, *, problem: str = ""
) -> Notice:
    """Return what is told of an order that ended, by its incident as it is now.

    ``problem`` is why it could not be run to its end. An incident that cannot be read is told of
    all the same.
    """
    said = [f"{order.runbook} could not be run to its end: {one_line(problem)}"] if problem else []
    try:
        timeline = find(incidents, order.incident)
        board = board_of(timeline, last_runbook(timeline), now=datetime.now(UTC))
    except (RunbookError, OSError) as error:
        lines = (*said, f"The incident cannot be read: {one_line(str(error))}")
        return Notice(title=f"{order.incident}: {order.runbook} ended.", lines=lines)
    title = f"{board.incident}, {board.severity} in {board.environment}: {one_line(board.title)}"
    return Notice(title=title, lines=(*said, *_lines(board)), link=_way(board, settings))


def given_up(order: KeptOrder, words: str, settings: ServiceSettings) -> Notice:
    """Return what is told of an order that nobody goes on with."""
    title = f"{order.incident}: {order.runbook} was given up."
    return Notice(title=title, lines=(words,), link=_address(settings, order.incident))


def places_of(
    order: KeptOrder, incidents: Path, settings: ServiceSettings
) -> list[tuple[str, str]]:
    """Return where an order is told of: the room, and the incidents that PagerDuty has of it."""
    places = [("slack", settings.room)] if settings.room else []
    if "pagerduty" not in settings.channels:
        return places
    try:
        told = alerts(find(incidents, order.incident))
    except (RunbookError, OSError):
        return places
    named = dict.fromkeys(alert.labels.get(INCIDENT_LABEL, "") for alert in told)
    return [*places, *(("pagerduty", incident) for incident in named if incident)]


def _lines(board: Board) -> Iterator[str]:
    loud = [step for step in _newest(board) if step.standing in _TOLD]
    yield from map(_reading, loud[:_READINGS_LIMIT])
    if len(loud) > _READINGS_LIMIT:
        yield f"… and {len(loud) - _READINGS_LIMIT} more."
    if not loud:
        yield "No check fails."
    for step in board.steps:
        if step.verb == "act" and step.standing in _ACTIONS:
            yield f"{_ACTIONS[step.standing]}: {one_line(step.title)}."
    if option := unapproved(board):
        yield f"Recommended: {one_line(option)}. It waits for a yes."
        yield from _risks(board, option)


def _newest(board: Board) -> list[BoardStep]:
    """Return the newest reading of each title: what was verified was a check before."""
    readings = sorted((step for step in board.steps if step.verb in READINGS), key=_seq)
    return list({step.title: step for step in readings}.values())


def _seq(step: BoardStep) -> int:
    return step.seq


def _reading(step: BoardStep) -> str:
    event = step.event
    read = against(event.evidence, event.expect) if isinstance(event, Checked | Verified) else ""
    return f"{_TOLD[step.standing]}: {one_line(step.title)}: {one_line(read)}."


def _risks(board: Board, option: str) -> Iterator[str]:
    events: list[Event | None] = [step.event for step in board.steps if step.option == option]
    for event in events:
        if isinstance(event, Acted) and event.risk:
            yield f"Risk of {one_line(event.title)}: {one_line(event.risk)}"
            yield f"Undo: {one_line(event.undo)}"


def _way(board: Board, settings: ServiceSettings) -> str:
    if settings.page:
        return _address(settings, board.incident) + ("/approve" if unapproved(board) else "")
    return f"Go on: {next_command(board)}"


def _address(settings: ServiceSettings, incident: str) -> str:
    return f"{settings.page}/incidents/{incident}" if settings.page else ""
