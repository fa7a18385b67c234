"""What must never happen: a probe that writes, a secret on disk, text that acts."""

import json
import sqlite3
from pathlib import Path

import pytest
import trial

from runbook_nb.timeline.folder import IncidentsFolder

pytestmark = pytest.mark.slow

SECRETS = {"TRIAL_API_KEY": "zq7-correct-horse-battery", "TRIAL_TOKEN": "kx9_staple_unlikely"}


def check(name: str, call: str) -> str:
    """Return a cell of diagnosis that reads one of the trial's probes."""
    return f'''### Check {name}

```python
incident.check("{name}", trial.{call}(), expect=equals("fine"), if_failed="Option A: End them")
```
'''


def everything_under(folder: Path) -> bytes:
    """Return the bytes of all files, their names included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


@pytest.mark.parametrize("call", ["insert_a_row", "insert_after_asking_nicely", "post"])
def test_a_probe_that_tries_to_write_is_refused_and_unknown(runbook, lab, with_notebooks, call):
    """The role, the transaction and the client each refuse."""
    with_notebooks("dead_sessions", trial.dead_sessions(check("Writer", call)))
    runbook("run", "dead_sessions", "--incident", "INC-1", expect=3)

    checked = next(e for e in runbook.events("INC-1") if e.get("title") == "Writer")
    assert checked["verdict"] == "unknown"
    assert any(word in checked["evidence"]["reason"] for word in ("refused", "may not", "denied"))


def test_a_probe_that_takes_too_long_is_unknown_with_the_reason(runbook, with_notebooks):
    """And the run goes on."""
    with_notebooks("dead_sessions", trial.dead_sessions(check("Slow", "never")))
    runbook("run", "dead_sessions", "--incident", "INC-1", expect=3)

    checked = next(e for e in runbook.events("INC-1") if e.get("title") == "Slow")
    assert checked["evidence"]["reason"] == "No answer within 1 s."
    assert checked["evidence"]["took_s"] < 3


def test_a_secret_appears_in_no_file_of_the_incident(runbook, lab, with_notebooks):
    """Not from a setting, an answer, an error, a traceback, or a DSN."""
    crash = "\n```python\nincident.note(trial.crash_with_secret())\n```\n"
    shown = "\n```python\nincident.note(trial.print_secret())\n```\n"
    extra = check("Answer", "secret_answer") + check("Error", "secret_error") + shown + crash
    with_notebooks("dead_sessions", trial.dead_sessions(extra))
    runbook.environ.update(SECRETS)
    runbook("run", "dead_sessions", "--incident", "INC-1", expect=3)
    runbook("close", "INC-1")

    written = everything_under(runbook.incidents)
    passwords = [
        (lab.folder / "secrets" / f"{role}.password").read_text().strip()
        for role in ("runbook_reader", "runbook_writer")
    ]
    for secret in (
        *SECRETS.values(),
        *passwords,
        (lab.folder / "secrets/fly.token").read_text().strip(),
    ):
        assert secret.encode() not in written
    assert b"[masked" in written


def test_hostile_text_is_shown_harmlessly(runbook, with_notebooks, tmp_path):
    """In the alert, a parameter, the probe's answer, and the page."""
    with_notebooks("dead_sessions", trial.dead_sessions(check("Hostile", "hostile_answer")))
    alert = tmp_path / "alert.json"
    labels = {"alertname": "X", "severity": trial.HOSTILE}
    notes = {"summary": trial.HOSTILE, "description": "y" * 5_000_000}
    alert.write_text(json.dumps({"labels": labels, "annotations": notes}))
    remark = "remark=" + trial.HOSTILE.replace("\x00", "")
    runbook("run", "dead_sessions", "--alert", str(alert), "-p", remark, expect=2)
    runbook("close", "INC-2001")

    page = (runbook.incidents / "INC-2001" / "record.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;" in page
    # The index is no text: its layout has such bytes, and only what its rows say can do harm.
    index = sqlite3.connect(IncidentsFolder(runbook.incidents).history)
    rows = "\n".join(index.iterdump())
    assert "INC-2001" in rows
    for harmful in ("\x1b", "\x00", "\u202e"):
        assert harmful.encode() not in everything_under(runbook.incidents / "INC-2001")
        assert harmful not in rows
    assert len(page) < 3_000_000


def test_a_wrong_parameter_leaves_nothing_behind(runbook):
    """One clear error, before anything is created."""
    for given, said in (
        ("window_s=soon", "whole number"),
        ("window_s=1", "from 10"),
        ("windows=60", "window_s"),
        ("environment=nowhere", "nowhere"),
    ):
        out = runbook("run", "heartbeat_failure_recovery", "-p", given, expect=3)
        *notice, error = out.splitlines()
        assert said in error
        assert [line.partition(" (")[0] for line in notice] == ["No project here"]
    assert not runbook.incidents.exists()
