"""Every alert of a delivery is run, noted or named."""

import json

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import ParameterError
from runbook_nb.redaction import Redactor
from runbook_nb.runbook.runbook import Runbook
from runbook_nb.runs.delivery import note_cleared, sort_delivery
from runbook_nb.testing import environ, runbook_cells
from runbook_nb.timeline.alerts import Delivery
from runbook_nb.timeline.events import Alert, Cleared
from runbook_nb.timeline.incidents import declare, find

KNOWN, OTHER, UNKNOWN = (
    Alert(name=name, fingerprint=name) for name in ("TrialAlert", "OtherAlert", "Watchdog")
)


@pytest.fixture
def notebooks(tmp_path):
    """Two runbooks, each for an alert of its own."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, alert in (("trial", "TrialAlert"), ("other", "OtherAlert")):
        notebook = runbook_cells()
        notebook["metadata"]["runbook"] |= {"name": name, "alerts": [alert]}
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    with environ(RUNBOOK_NOTEBOOKS=str(folder)):
        yield folder


def test_an_alert_without_a_runbook_stops_no_other_one(notebooks):
    """Wherever it stands in the delivery."""
    for firing in ((UNKNOWN, KNOWN), (KNOWN, UNKNOWN)):
        found = sort_delivery(Delivery(firing=firing))
        assert [group.runbook.name for group in found.groups] == ["trial"]
        assert ["Watchdog" in said for said in found.unanswered] == [True]


def test_each_runbook_answers_its_own_alerts(notebooks):
    """Those of one runbook are one incident."""
    again = Alert(name="TrialAlert", fingerprint="another")
    found = sort_delivery(Delivery(firing=(KNOWN, OTHER, again)))

    assert {group.runbook.name: group.alerts for group in found.groups} == {
        "trial": (KNOWN, again),
        "other": (OTHER,),
    }


def test_a_runbook_that_is_named_answers_all_that_fires_and_nothing_else(notebooks):
    """What is resolved is no reason to run it."""
    named = Runbook.find("trial")

    (group,) = sort_delivery(Delivery(firing=(UNKNOWN, KNOWN)), runbook=named).groups
    assert group.alerts == (UNKNOWN, KNOWN)
    assert sort_delivery(Delivery(cleared=(KNOWN,)), runbook=named).groups == ()


def test_a_copy_of_a_runbook_answers_nothing(notebooks):
    """JupyterLab makes one with a click."""
    (notebooks / "trial-Copy1.ipynb").write_text((notebooks / "trial.ipynb").read_text())
    (group,) = sort_delivery(Delivery(firing=(KNOWN,))).groups

    assert group.runbook.path.name == "trial.ipynb"


def test_what_is_resolved_is_noted_where_it_belongs_and_said(notebooks, tmp_path):
    """Nothing is run for it."""
    incidents, said = tmp_path / "incidents", []
    declare(
        incidents,
        incident=None,
        title="Trial",
        severity="SEV3",
        runbook="trial",
        environment="lab",
        by="sam",
        alert=KNOWN,
        redactor=Redactor(),
    )
    note_cleared(
        (KNOWN, OTHER, UNKNOWN), incidents=incidents, parameters={}, by="sam", say=said.append
    )

    assert find(incidents, "INC-2001").last(Cleared).alert.name == "TrialAlert"
    known, other, unknown = said
    assert "INC-2001" in known
    assert "OtherAlert" in other
    assert "Watchdog" in unknown


@pytest.mark.parametrize(("state", "ends_well"), [("resolved", 1), ("pending", 0), ("odd", 0)])
def test_a_delivery_in_which_nothing_fires_runs_nothing(notebooks, tmp_path, state, ends_well):
    """A message that was not understood is no good end."""
    file = tmp_path / "alert.json"
    file.write_text(json.dumps({"status": state, "labels": {"alertname": "TrialAlert"}}))
    incidents = tmp_path / "incidents"
    done = CliRunner().invoke(app, ["run", "--alert", str(file), "--incidents", str(incidents)])

    assert ends_well == (done.exception is None)
    assert ends_well or isinstance(done.exception, ParameterError)
    assert not incidents.exists()
