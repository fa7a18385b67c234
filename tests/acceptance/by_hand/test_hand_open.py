"""Which runbook is opened, why, in which copy, and in which server."""

import json
import re
import signal

import pytest
import trial

pytestmark = pytest.mark.slow

ALERTS = "alerts: [TrialSessionsSilent, TrialSessionsStale]"
ALERT = {"labels": {"alertname": "TrialSessionsSilent"}, "annotations": {"summary": "Silent: 3"}}


@pytest.fixture
def opened(runbook, with_notebooks):
    """Open without a server, with two runbooks to choose from."""
    one = trial.dead_sessions().replace("alerts: []", ALERTS)
    with_notebooks("dead_sessions", one)
    other = trial.dead_sessions().replace("dead_sessions", "other").replace("Rows outlive", "Two")
    other = other.replace("alerts: []", "alerts: [TrialOther]")
    with_notebooks("other", other.replace("Dead Sessions", "Pages Freeze"))
    return lambda *words, expect=0: runbook("open", *words, "--no-start", expect=expect)


def test_an_alert_finds_its_runbook_and_its_incident(runbook, opened):
    """The same alert delivered again leads to the same incident and the same copy."""
    alert = runbook.folder / "alert.json"
    alert.write_text(json.dumps(ALERT), encoding="utf-8")
    told = opened("--alert", str(alert))

    assert "Runbook dead_sessions: it answers the alert TrialSessionsSilent." in told
    assert re.findall(r"Incident (\S+)\.", told) == ["INC-2001"]
    assert "as you left it" in opened("--alert", str(alert))
    assert runbook.events("INC-2001")[0]["title"] == "Silent: 3"


def test_every_alert_of_a_delivery_is_opened_noted_or_named(runbook, opened):
    """Two of one runbook are one incident; another's is named, and so is what nobody answers."""
    opened("--alert", delivered(runbook, "TrialSessionsSilent", "TrialSessionsStale"))
    again = ("TrialSessionsSilent", "TrialOther", "NobodyKnowsThis")
    told = opened("--alert", delivered(runbook, *again, cleared=("TrialSessionsStale",)))
    events = runbook.events("INC-2001")
    assert [each["kind"] for each in events] == ["opened", "alerted", "cleared", "alerted"]
    names = [each["alert"]["name"] for each in events]
    assert names == [again[0], "TrialSessionsStale", "TrialSessionsStale", again[0]]
    assert "TrialSessionsStale is resolved: noted in INC-2001." in told
    assert "Also delivered, and not opened: TrialOther. Open other too." in told
    assert "NobodyKnowsThis" in told
    gone = opened("--alert", delivered(runbook, cleared=("TrialSessionsSilent",)), expect=3)
    assert "no alert in it is firing" in gone


def delivered(runbook, *names, cleared=()):
    """Write what an alert manager delivers, and return the file."""
    alerts = [
        {
            "status": status,
            "labels": {"alertname": name},
            "annotations": {"summary": name},
            "fingerprint": name,
        }
        for status, group in (("resolved", cleared), ("firing", names))
        for name in group
    ]
    file = runbook.folder / "delivery.json"
    file.write_text(json.dumps({"version": "4", "alerts": alerts}), encoding="utf-8")
    return str(file)


def test_a_symptom_in_words_says_why_it_was_chosen(opened):
    """The passage that fits is shown, so that a wrong choice is seen at once."""
    assert "it fits 'rows outlive'" in opened("rows", "outlive")


def test_two_that_fit_are_listed_where_nobody_can_be_asked(runbook, opened):
    """To open the wrong one costs more than to ask; nothing is created before."""
    told = opened("end", "them", expect=3)

    assert "dead_sessions" in told
    assert "other" in told
    assert "runbook open" in told
    assert not runbook.incidents.exists()


def test_words_that_no_runbook_knows_create_nothing(runbook, opened):
    """The error names the list."""
    assert "runbook list" in opened("zebra", expect=3)
    assert not runbook.incidents.exists()


def test_an_incident_leads_to_the_runbook_that_ran_in_it(runbook, opened):
    """Its id alone is enough."""
    opened("other", "--incident", "INC-7")

    assert "Runbook other: it was opened for INC-7." in opened("INC-7")
    assert "No incident 'INC-8'" in opened("--incident", "INC-8", expect=3)


def test_the_master_is_never_run(runbook, opened):
    """The working copy has the parameters filled in and its code folded; the master stays."""
    master = runbook.folder / "notebooks" / "dead_sessions.ipynb"
    before = master.read_bytes()
    opened("dead_sessions", "--incident", "INC-1", "-p", "remark=seen")

    copy = runbook.incidents / "INC-1" / "working" / "dead_sessions.ipynb"
    cells = [cell for cell in json.loads(copy.read_bytes())["cells"] if cell["cell_type"] == "code"]
    assert "incident_id = 'INC-1'" in cells[1]["source"]
    assert "remark = 'seen'" in cells[1]["source"]
    assert all(cell["metadata"]["jupyter"]["source_hidden"] for cell in cells)
    assert master.read_bytes() == before


def test_each_responder_has_a_copy_of_their_own(runbook, opened):
    """Two who work at once never save over each other."""
    opened("dead_sessions", "--incident", "INC-1")
    told = opened("dead_sessions", "--incident", "INC-1", "--as", "Alex O'Neill")

    assert "working/Alex_O_Neill-dead_sessions.ipynb" in told
    assert "working/dead_sessions.ipynb" in opened("INC-1")


def test_a_run_whose_text_has_changed_since_is_not_taken_over(runbook, opened, with_notebooks):
    """Its cards would stand below text that was never run."""
    runbook("run", "other", "--incident", "INC-1", expect=None)
    text = trial.dead_sessions("### Check 3\n").replace("dead_sessions", "other")
    with_notebooks("other", text)

    assert "its text has changed" in opened("INC-1")


def test_a_killed_server_is_not_taken_for_a_running_one(runbook, opened):
    """What it left behind has the address of nobody, or of another program."""
    address = re.compile(r"http://\S+token=\w+")
    first = runbook.start("open", "--no-browser")
    killed = next(found[0] for line in first.stderr if (found := address.search(line)))
    assert killed in runbook("open", "--no-browser")
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=30)
    second = runbook.start("open", "--no-browser")
    try:
        assert killed not in next(line for line in second.stderr if "token=" in line)
        assert "JupyterLab runs already" in runbook("open", "--no-browser")
    finally:
        second.terminate()
        second.communicate(timeout=30)
