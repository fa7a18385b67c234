"""Close an incident: keep what was done by hand, make its record, seal it."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runbook_nb.errors import (
    IncidentStateError,
    RecordIntegrityError,
    RunbookFormatError,
    SettingMissingError,
    StoreUnavailableError,
    TurnTakenError,
)
from runbook_nb.incident import results
from runbook_nb.incident.context import new_run_id
from runbook_nb.incident.known_incident import redactor_of, writable
from runbook_nb.incident.turn import PATIENCE_S, turn
from runbook_nb.record.page import write_record
from runbook_nb.record.proof import (
    Change,
    Reseal,
    Seal,
    Statement,
    read_envelope,
    signing_seal,
    verify_record,
)
from runbook_nb.redaction import Redactor
from runbook_nb.redaction.outputs import masked_notebook
from runbook_nb.runbook.document import read_whole_notebook
from runbook_nb.text.files import write_atomically
from runbook_nb.text.formatting import listed
from runbook_nb.timeline import queries
from runbook_nb.timeline.attempts import Attempt
from runbook_nb.timeline.depot import depot_of, fetch_runs, keep_record
from runbook_nb.timeline.events import Acting, Closed, ClosingStatement, Noted
from runbook_nb.timeline.folder import FACTS, PAGE, IncidentFolder
from runbook_nb.timeline.incidents import find, refuse_closed
from runbook_nb.timeline.log import Timeline
from runbook_nb.timeline.writer import WritableTimeline

SAID_NOTHING: Final = ClosingStatement()


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A record that was made: its page, what was sealed, and with which key.

    ``unanswered`` are the manual steps that stayed open, ``begun`` the attempts that may be half
    done, ``channel`` is where the message goes.
    """

    incident: str
    channel: str
    page: Path
    unanswered: tuple[str, ...]
    begun: tuple[Attempt, ...]
    sealed: Statement
    seal: Seal

    @property
    def message(self) -> str:
        """What to post where others keep it: with it, the record has an outside witness."""
        return (
            f"{self.incident} is closed. Head of its timeline: {self.sealed.head}. "
            f"Head of its whole record: {self.sealed.digest}, "
            f"sealed by {self.seal.fingerprint or 'nobody'}. "
            f"Compare: runbook verify {self.incident} --head {self.sealed.digest[:16]}"
        )


def close(
    incidents: Path,
    incident: str,
    *,
    by: str,
    resolution: str = "",
    statement: ClosingStatement = SAID_NOTHING,
    discarded: bool = False,
    without_copies: bool = False,
    say: Callable[[str], None] = lambda _text: None,
    patience_s: float = PATIENCE_S,
) -> Recorded:
    """Close an open incident and make its record, once what is on its way has ended.

    The ``statement`` is what no reading says: the cause, what users saw, what is to follow.

    Works also when the last run was cut off, and after ``patience_s`` beside an action that is
    still on its way. Raises IncidentStateError if it is closed already, for one that is to be
    ``discarded`` if something was done in it, and where an executed copy is on another machine,
    unless it is to be closed ``without_copies``.
    """
    timeline = writable(incidents, incident)
    redactor = timeline.redactor
    refuse_closed(timeline)
    with ExitStack() as held:
        try:
            held.enter_context(turn(timeline, say=say, patience_s=patience_s))
        except TurnTakenError as error:
            say(f"{error} The close goes on beside it.")
        refuse_closed(timeline)
        if discarded:
            _refuse_done(timeline)
        _fetch_copies(timeline, without=without_copies)
        _keep_working_copies(timeline.folder, redactor=redactor)
        closed = Closed(
            at=datetime.now(UTC),
            by=by,
            resolution=resolution,
            discarded=discarded,
            statement=statement,
        )
        timeline.append(closed)
        results.forget(timeline.folder)
    recorded = _record(incidents, incident, redactor)
    _keep_elsewhere(timeline.folder, say)
    return recorded


def _fetch_copies(timeline: WritableTimeline, *, without: bool) -> None:
    """Fetch the executed copies of other machines, or note which are missing.

    Raises IncidentStateError where one is: what the record is sealed over must be whole.
    """
    depot = depot_of(timeline.folder.incidents.path)
    missing = fetch_runs(depot, timeline.folder) if depot is not None else []
    if missing and without:
        text = f"Closed without the executed copy of {listed(missing)}, which nobody has kept."
        timeline.append(Noted(at=datetime.now(UTC), text=text))
    elif missing:
        message = (
            f"The executed copy of {listed(missing)} is on another machine, and the record would "
            "be without it. Nothing was closed. Have it brought from there: runbook store copy "
            "--to store. Where that machine is lost: runbook close --without-copies"
        )
        raise IncidentStateError(message)


def _keep_elsewhere(folder: IncidentFolder, say: Callable[[str], None]) -> None:
    """Keep a record where other machines find it; where that fails, say so."""
    depot = depot_of(folder.incidents.path)
    try:
        if depot is not None:
            keep_record(depot, folder)
    except (StoreUnavailableError, RecordIntegrityError, SettingMissingError) as error:
        say(f"The record is on this machine only: {error} Repeat it: runbook store copy --to store")


def _refuse_done(timeline: Timeline) -> None:
    """Raise IncidentStateError where an action was ever begun, also one that was undone since."""
    if acting := queries.last(timeline, Acting):
        message = (
            f"{acting.title!r} was begun in {timeline.folder.name}, so it is not discarded: what "
            f"was done is kept. Close it: runbook close {timeline.folder.name}"
        )
        raise IncidentStateError(message)


def remake(incidents: Path, incident: str, *, because: str = "", by: str = "") -> Recorded:
    """Make the record of a closed incident anew from the timeline and the runs, and seal it again.

    Where it is not as it was sealed, that needs a reason, which stays in the record for ever.
    Raises IncidentStateError for an open incident, and RecordIntegrityError without a reason.
    """
    timeline = find(incidents, incident)
    if queries.closed(timeline.proven()) is None:
        message = f"{incident} is open, and its record is made when it closes: runbook close"
        raise IncidentStateError(message)
    return _record(
        incidents,
        incident,
        redactor_of(timeline),
        reseals=_reseals(timeline.folder, because=because.strip(), by=by),
    )


def _reseals(folder: IncidentFolder, *, because: str, by: str) -> tuple[Reseal, ...]:
    """Return why the record was sealed anew, this time too where it is not as it was sealed."""
    if not (folder.page.exists() or folder.facts.exists() or folder.envelope.exists()):
        # The close was cut off before there was a record.
        return ()
    found = verify_record(folder.path)
    # Page and facts are made anew from the timeline, whatever became of them.
    changed = [
        each
        for each in found.problems
        if each.change is not Change.RENAMED and each.path not in (PAGE, FACTS)
    ]
    if not changed:
        return found.reseals
    if not because:
        listed = "; ".join(map(str, changed[:3]))
        message = (
            f"{folder.name} is not as it was sealed: {listed}. Look what changed it. To seal it "
            "as it is now, say why, in the record for ever: "
            f'runbook archive {folder.name} --because "…"'
        )
        raise RecordIntegrityError(message)
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    redacted = redactor_of(find(folder.incidents.path, folder.name)).text(because)
    return (*found.reseals, Reseal(at=at, by=by, because=redacted, before=found.digest))


def _record(
    incidents: Path, incident: str, redactor: Redactor, *, reseals: Sequence[Reseal] = ()
) -> Recorded:
    timeline, seal = find(incidents, incident), signing_seal()
    folder = timeline.folder
    page = write_record(folder.path, redactor=redactor, seal=seal, reseals=reseals)
    sealed = read_envelope(folder.envelope)
    return Recorded(
        incident=incident,
        channel=queries.terms_of(timeline).closing_channel,
        page=page,
        unanswered=tuple(step.question for step in queries.open_questions(timeline)),
        begun=tuple(queries.unsettled(timeline)),
        sealed=sealed,
        seal=seal,
    )


def _keep_working_copies(folder: IncidentFolder, *, redactor: Redactor) -> None:
    """Copy what was run by hand to the runs, masked; an open tab may write its own file on."""
    for path in folder.working_copies():
        try:
            notebook = read_whole_notebook(path)
        except (OSError, RunbookFormatError):
            # A copy that cannot be read stays where it is; the timeline has what happened.
            continue
        if not any(cell.get("outputs") for cell in notebook.cells):
            continue
        # Named by when it was saved: a close that was cut off and repeated keeps one copy.
        saved = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        kept = folder.kept(new_run_id(path.stem, saved))
        text = json.dumps(masked_notebook(notebook, redactor), indent=1, ensure_ascii=False)
        write_atomically(kept, text + "\n")
