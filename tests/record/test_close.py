"""An incident is closed once; whoever comes later changes nothing of its record."""

import fcntl
from datetime import UTC, datetime

import nbformat
import pytest

from runbook_nb.errors import IncidentStateError
from runbook_nb.incident import results
from runbook_nb.record.close import close
from runbook_nb.record.proof import verify_record
from runbook_nb.redaction import Redactor
from runbook_nb.timeline.events import Acting, Closed
from runbook_nb.timeline.incidents import find
from runbook_nb.timeline.writer import WritableTimeline
from story import opened_incident


@pytest.fixture
def incidents(tmp_path):
    """Give the folder of all incidents, with one that is open and was worked in by hand."""
    timeline = opened_incident(tmp_path)
    told = nbformat.v4.new_output("stream", name="stdout", text="PASS\n")
    cell = nbformat.v4.new_code_cell("incident.check()", outputs=[told])
    copy = timeline.folder.working_copy("sam.ipynb")
    copy.parent.mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), copy)
    results.keep(timeline.folder, "run-1.2", {"sessions": ["ada@company.com"]})
    return tmp_path


def files(incidents):
    return {
        path: path.read_bytes()
        for path in (incidents / "INC-1").rglob("*")
        if path.is_file() and path.name != ".acting"
    }


def test_a_close_keeps_what_was_run_by_hand_and_forgets_what_an_undo_needs(incidents):
    """Nothing is undone after it, so nothing unmasked is left."""
    close(incidents, "INC-1", by="sam")
    folder = find(incidents, "INC-1").folder

    assert len(folder.all_kept("sam")) == 1
    assert results.kept(folder, "run-1.2") is None
    assert not folder.results.exists()


def test_a_second_close_says_so_at_once_and_changes_nothing(incidents):
    """It neither takes the turn nor waits for whoever holds it."""
    close(incidents, "INC-1", by="sam")
    turn = find(incidents, "INC-1").folder.turn
    before, said = files(incidents), []
    turn.touch()
    with turn.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IncidentStateError, match=r"was closed at .* by sam"):
            close(incidents, "INC-1", by="kim", say=said.append, patience_s=0)

    assert said == []
    assert files(incidents) == before
    assert len(find(incidents, "INC-1").of(Closed)) == 1


def test_a_close_that_waited_for_another_one_changes_nothing(incidents):
    """The record that the first one sealed is whole."""
    folder = find(incidents, "INC-1").folder
    before = []

    def closes_meanwhile(_text: str) -> None:
        if not before:
            before.append({})
            close(incidents, "INC-1", by="kim", patience_s=0)
            folder.working_copy("sam.ipynb").rename(folder.working_copy("kim.ipynb"))
            before[0] = files(incidents)

    folder.turn.touch()
    with folder.turn.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(IncidentStateError, match=r"was closed at .* by kim"):
            close(incidents, "INC-1", by="sam", say=closes_meanwhile, patience_s=0)

    assert files(incidents) == before[0]
    assert [each.by for each in find(incidents, "INC-1").of(Closed)] == ["kim"]
    assert verify_record(folder.path).problems == ()


def test_what_was_begun_is_not_discarded(incidents):
    """Also where it was taken back since: what was done is kept."""
    timeline = find(incidents, "INC-1")
    described = dict.fromkeys(("call", "option", "because", "risk", "undo"), "")
    writable = WritableTimeline(timeline.path, redactor=Redactor())
    writable.append(Acting(at=datetime.now(UTC), title="Restart", attempt="run-1.2", **described))
    before = files(incidents)
    with pytest.raises(IncidentStateError, match="is not discarded"):
        close(incidents, "INC-1", by="sam", discarded=True)

    assert files(incidents) == before


def test_where_nothing_was_begun_it_can_be_discarded(incidents):
    """Opened by mistake, it is closed all the same, and says so."""
    close(incidents, "INC-1", by="sam", discarded=True)

    assert find(incidents, "INC-1").last(Closed).discarded
