"""A retired runbook is out of the way, still readable, and says what to use instead."""

import json
from datetime import date

import pytest
from said_drills import NAME

from runbook_nb.authoring.maintenance import retire
from runbook_nb.errors import RunbookError, RunbookNotFoundError
from runbook_nb.record.close import close, remake
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.catalog import read_entries
from runbook_nb.runbook.pair import out_of_date
from runbook_nb.runbook.policy import Policy
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.timeline.events import Alert, Noted
from runbook_nb.timeline.incidents import declare

TODAY = date(2026, 11, 23)


@pytest.fixture
def successor(notebooks):
    """Put a second runbook beside the first; it relates to nothing yet."""
    front = Runbook.find(NAME).front
    text = (notebooks / f"{NAME}.ipynb").read_text()
    notebook = json.loads(text)
    notebook["metadata"]["runbook"] = {**front, "name": "newer", "alerts": [], "related": []}
    path = notebooks / "newer.ipynb"
    path.write_text(json.dumps(notebook))
    return path


def attempt(notebooks, **changes):
    given = {"reason": "The queue is gone.", "by": "sam", "on": TODAY, **changes}
    entries = read_entries(notebooks, policy=Policy(), today=TODAY)
    return retire(NAME, folder=notebooks, entries=entries, **given)


def test_pair_and_drills_move_with_a_notice_in_header_and_text(notebooks, successor):
    """The history stays: dates, validations and text."""
    done = attempt(notebooks, superseded_by="newer", force=True)

    archived = notebooks / "archived"
    page = (archived / f"{NAME}.md").read_text()
    assert "# Heartbeat Failure Recovery (retired) — Operational Procedure" in page
    assert "> **Retired on 2026-11-23 by sam.** The queue is gone. Use [newer](../newer.md)" in page
    assert out_of_date(archived / f"{NAME}.md") == []
    assert len(done.files) == 4
    assert [path.name for path in notebooks.rglob(f"{NAME}*") if path.parent == notebooks] == []
    assert list((notebooks / "drills").iterdir()) == []


def test_it_is_found_by_name_and_no_longer_by_alert(notebooks):
    """Who knows it can still run it."""
    attempt(notebooks, force=True)

    assert Runbook.find(NAME).retired["reason"] == "The queue is gone."
    with pytest.raises(RunbookNotFoundError):
        Runbook.for_alert(Alert(name="SSEHeartbeatLagHigh", fingerprint="f"))


def test_every_run_of_it_says_so_first(notebooks, successor):
    """A note is the first step, so that it stands on the screen and in the record."""
    attempt(notebooks, superseded_by="newer", force=True)

    first = Runbook.find(NAME).steps[0]

    assert first.verb == "note"
    assert first.title == "This runbook is retired: The queue is gone. Use newer instead."


def test_alerts_that_nobody_else_answers_keep_it(notebooks, successor):
    """Unless they have been moved; nothing is changed."""
    before = sorted(path.name for path in notebooks.rglob("*"))

    with pytest.raises(RunbookError, match=r"Move its alerts to newer: SSEHeartbeatLagHigh"):
        attempt(notebooks, superseded_by="newer")
    assert sorted(path.name for path in notebooks.rglob("*")) == before


def test_runbooks_that_relate_to_it_keep_it(notebooks, successor):
    """A link into nothing is found at night."""
    notebook = json.loads(successor.read_text())
    notebook["metadata"]["runbook"]["related"] = [NAME]
    successor.write_text(json.dumps(notebook))

    with pytest.raises(RunbookError, match=r"Replace it with newer in `related` of newer\."):
        attempt(notebooks, superseded_by="newer")
    assert attempt(notebooks, superseded_by="newer", force=True).left[0].startswith("Replace it")


@pytest.mark.parametrize(
    "changes", [{"superseded_by": "nothing"}, {"superseded_by": NAME}, {"reason": " "}]
)
def test_a_successor_must_live_and_a_reason_be_given(notebooks, changes):
    """Force does not help here."""
    with pytest.raises(RunbookError):
        attempt(notebooks, force=True, **changes)
    assert (notebooks / f"{NAME}.ipynb").exists()


def test_it_cannot_be_retired_twice(notebooks):
    """It is not live any more."""
    attempt(notebooks, force=True)

    with pytest.raises(RunbookNotFoundError, match="No live runbook"):
        attempt(notebooks, force=True)


def test_reason_with_quotes_stays_one_literal(notebooks):
    """Words of a person never become code."""
    attempt(notebooks, reason='"); import os  # \\', force=True)

    assert Runbook.find(NAME).steps[0].title.startswith('This runbook is retired: "); import os')


def test_old_records_still_open(notebooks, tmp_path):
    """And their contacts stay readable."""
    incidents = tmp_path / "incidents"
    timeline = declare(
        incidents,
        incident="INC-1",
        title="Late",
        severity="SEV2",
        runbook=NAME,
        environment="trial",
        by="sam",
        alert=None,
        redactor=Redactor(allowed=["engineering@company.com"]),
    )
    timeline.append(Noted(at=timeline[0].at, by="sam", text="Called engineering@company.com."))
    close(incidents, "INC-1", by="sam")
    attempt(notebooks, force=True)

    page = remake(incidents, "INC-1").page

    assert "Called engineering@company.com." in page.read_text()
