"""What the panels show: the runbooks and open incidents, and the board of one working copy."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from runbook_nb.errors import ParameterError, RunbookError
from runbook_nb.incident.asking import Question, asked_at
from runbook_nb.incident.board import Board, board_of
from runbook_nb.incident.cards import board_html
from runbook_nb.incident.cards.sidebar import ShownRunbook, shelf_html
from runbook_nb.incident.open_incidents import open_incidents, read_on
from runbook_nb.probes.environment import load_settings
from runbook_nb.probes.lab_settings import LAB
from runbook_nb.runbook import Runbook, runbooks_folder
from runbook_nb.runbook.catalog import Entry, EntryState, read_entries
from runbook_nb.runbook.policy import policy_or_default
from runbook_nb.runs.jupyter.controls import controls_html
from runbook_nb.text.formatting import anchor, clock, one_line
from runbook_nb.timeline.folder import IncidentFolder, IncidentsFolder
from runbook_nb.timeline.incidents import find


def shelf(incidents: Path) -> str:
    """Return the list of runbooks and open incidents as HTML."""
    now = datetime.now(UTC)
    folder = runbooks_folder()
    entries = read_entries(folder, policy=policy_or_default(folder), today=now.date())
    runbooks = [_shown(entry) for entry in entries if entry.state is EntryState.LIVE]
    return shelf_html(
        runbooks, incidents=open_incidents(incidents, now=now), environments=_environments()
    )


def board(incidents: Path, path: str) -> dict[str, str]:
    """Return the board of a working copy as HTML, the forms below it, and what JupyterLab lays out.

    ``chosen`` is the anchor of the chosen option and ``passed_over`` those of the others, a line
    each; ``asked`` says who is asked for an answer. Raises what ``board_at`` raises.
    """
    drawn = board_at(incidents, path)
    chosen = drawn.decided.option if drawn.decided and drawn.decided.option else ""
    options = dict.fromkeys(step.option for step in drawn.steps if step.option)
    question = question_at(incidents, path)
    return {
        "incident": drawn.incident,
        "html": board_html(drawn),
        "controls": controls_html(drawn, read_on(find(incidents, drawn.incident).path)),
        "chosen": anchor(chosen),
        "passed_over": "\n".join(anchor(each) for each in options if chosen and each != chosen),
        "asked": _said_asked(question) if question else "",
    }


def question_at(incidents: Path, path: str) -> Question | None:
    """Return the question that the kernel of a working copy waits for an answer to."""
    incident, *_, copy = Path(path).parts or ("",)
    return asked_at(IncidentsFolder(incidents).asked(incident, Path(copy).stem))


def _said_asked(question: Question) -> str:
    return (
        f"{question.by} is asked since {clock(question.since)}: {one_line(question.text)} "
        "Answer in the tab that asks."
    )


def board_at(incidents: Path, path: str) -> Board:
    """Return the board of a working copy, by the text that stands in it.

    ``path`` is that of the copy below the folder of incidents. Raises ParameterError if it is
    none, and RecordIntegrityError if the timeline was altered.
    """
    incident, *rest = Path(path).parts or ("",)
    copy = incidents / path
    folder = IncidentFolder(incidents / incident)
    if not rest or copy != folder.working_copy(copy.name) or not copy.is_file():
        message = f"{path} is no working copy, so it has no board."
        raise ParameterError(message)
    timeline = read_on(find(incidents, incident).path)
    runbook = _runbook(copy, copy.stat().st_mtime_ns)
    return board_of(timeline, runbook, now=datetime.now(UTC))


def _shown(entry: Entry) -> ShownRunbook:
    return ShownRunbook(
        name=entry.name,
        title=entry.title,
        group=entry.group,
        scenario=entry.scenario,
        severity=entry.severity,
        freshness=entry.freshness.said,
        due=entry.freshness.is_due,
    )


def _environments() -> list[str]:
    try:
        names = set(load_settings())
    except RunbookError:
        names = set()
    # The lab comes first: whoever does not choose cannot touch anything real.
    return [LAB, *sorted(names - {LAB})]


@lru_cache(maxsize=64)
def _runbook(path: Path, saved: int) -> Runbook:  # noqa: ARG001 - a save makes it another one
    return Runbook.read(path)
