"""What is saved by hand is masked, and what a responder needs stays readable."""

import json

import pytest

from runbook_nb.runbook import Runbook, runbooks_folder
from runbook_nb.runs.by_hand.save import mask_before_save


@pytest.fixture
def saved(monkeypatch):
    """Save a whole runbook as JupyterLab does, after a change, and return what gets to disk."""
    monkeypatch.setenv("TRIAL_TOKEN", "kx9_staple_unlikely")
    text = (runbooks_folder() / "heartbeat_failure_recovery.ipynb").read_text(encoding="utf-8")

    def save(change):
        notebook = json.loads(text)
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
        change(notebook)
        model = {"type": "notebook", "content": notebook}
        mask_before_save("INC-1/working/trial.ipynb", model)
        return model["content"]

    return save


def test_whom_to_call_stays_readable_and_the_text_stays_the_runbooks(saved, write_file):
    """A save must not take the contacts away, nor make the copy look edited."""
    copy = write_file("copy.ipynb", json.dumps(saved(lambda _: None)))

    assert "ops-oncall@company.com" in copy.read_text(encoding="utf-8")
    master = Runbook.find("heartbeat_failure_recovery")
    assert Runbook.read(copy).digest == master.digest


def test_a_secret_that_was_typed_in_is_masked(saved):
    """Also in the copy's own list of whom to call."""

    def type_in(notebook):
        notebook["cells"][0]["source"] = "kx9_staple_unlikely"
        notebook["metadata"]["runbook"]["escalation"] = ["kx9_staple_unlikely", "eve@example.com"]

    text = json.dumps(saved(type_in))
    assert "kx9_staple_unlikely" not in text
    assert "eve@example.com" not in text
