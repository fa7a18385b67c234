"""The commands archive and list --incidents, as they are typed, rightly and wrongly."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from many import write_many
from runbook_nb.cli import app
from runbook_nb.cli import main as run_main
from runbook_nb.testing import environ

Run = Callable[..., str]


@pytest.fixture
def runbook(incidents: Path) -> Run:
    """Give the command, on three incidents; returns what it prints."""

    def run(*arguments: str, expect: int = 0) -> str:
        with environ(RUNBOOK_INCIDENTS=str(incidents)):
            result = CliRunner().invoke(app, arguments)
        assert result.exit_code == expect, result.output
        return result.stdout

    return run


@pytest.fixture
def refused(incidents: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> Run:
    """Give the command as the shell runs it; returns why it refused, with exit code 3."""

    def run(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["runbook", *arguments])
        with environ(RUNBOOK_INCIDENTS=str(incidents)), pytest.raises(SystemExit) as left:
            run_main()
        assert left.value.code == 3
        return capsys.readouterr().err

    return run


def test_archive_builds_beside_the_incidents(runbook, incidents):
    """Without an option it is where one looks, and never an incident."""
    printed = runbook("archive")

    assert (incidents.parent / "incidents-archive" / "index.html").is_file()
    assert "3 incidents." in printed
    assert f"Open {incidents.parent}/incidents-archive/index.html" in printed


def test_archive_tells_a_machine_what_it_touched(runbook, site):
    """And the second time that it touched nothing."""
    first = json.loads(runbook("archive", "--to", str(site), "--json"))
    second = json.loads(runbook("archive", "--to", str(site), "--json"))

    assert first["index"] == str(site / "index.html")
    assert sorted(first["records"]) == ["INC-2001", "INC-2002", "INC-2003"]
    assert (second["records"], second["pages"], second["removed"]) == ([], [], [])


def test_archive_warns_of_what_is_not_whole(runbook, incidents, site):
    """Exit code 1: built, with something to look at."""
    (incidents / "INC-2001" / "record.html").write_text("other")
    printed = runbook("archive", "--to", str(site), expect=1)

    assert "INC-2001: altered: record.html" in printed
    assert "Not whole: 1." in printed


def test_archive_of_one_makes_its_record_anew(runbook, incidents):
    """As before: the page of one incident."""
    page = incidents / "INC-2001" / "record.html"
    page.unlink()

    assert runbook("archive", "INC-2001").strip() == str(page)
    assert page.is_file()


def test_archive_refuses_what_it_cannot_mean(refused, incidents):
    """Each says what to type instead, and nothing was written."""
    assert "--to is for the site" in refused("archive", "INC-2001", "--to", "x")
    assert "must not lie in" in refused("archive", "--to", str(incidents / "archive"))
    assert "is no folder" in refused("archive", "--incidents", "/nowhere")
    assert not (incidents / "archive").exists()


def test_list_finds_incidents(runbook):
    """One line each, with the words around the match, best first."""
    printed = runbook("list", "--incidents", "export hung")

    assert printed.startswith("INC-2001   2026-11-23 18:04 SEV2  pass, closed")
    assert "The agent hung since the export" in printed


def test_list_without_words_shows_the_newest(runbook):
    """What is open, what was last."""
    assert runbook("list", "--incidents", "--open").startswith("INC-2003")
    assert len(runbook("list", "--incidents").splitlines()) == 3


def test_list_finds_incidents_for_a_machine(runbook):
    """All that a line knows."""
    (found,) = json.loads(runbook("list", "--incidents", "export", "--json"))

    assert found["incident"] == "INC-2001"
    assert found["runbooks"] == ["streaming-heartbeat"]
    assert found["status"] == "closed"
    assert found["opened_at"] == "2026-11-23T18:04:00+00:00"


def test_list_says_how_many_more_there_are(runbook, incidents):
    """And how to see them."""
    write_many(incidents, 30)

    assert "20 of 30 incidents. All of them: --limit 0" in runbook(
        "list", "--incidents", "ticket OPS"
    )
    assert (
        len(json.loads(runbook("list", "--incidents", "ticket OPS", "--limit", "0", "--json")))
        == 30
    )
    drills = json.loads(runbook("list", "--incidents", "--drills", "--json"))
    assert [line["incident"] for line in drills] == ["INC-3030", "INC-3020", "INC-3010"]


def test_list_says_what_is_wrong_with_an_incident(runbook, incidents):
    """An altered timeline is found, and said to be altered."""
    timeline = incidents / "INC-2001" / "timeline.jsonl"
    timeline.write_bytes(timeline.read_bytes().replace(b"export", b"exp0rt"))

    assert "NOT WHOLE: timeline.jsonl: event 23 does not match" in runbook("list", "--incidents")


def test_nothing_found_is_no_success(runbook):
    """Exit code 3, as for a runbook that is not found."""
    assert "No incident in" in runbook("list", "--incidents", "zeppelin", expect=3)
    assert json.loads(runbook("list", "--incidents", '"(*', "--json", expect=3)) == []


def test_list_refuses_what_it_cannot_mean(refused, incidents):
    """A filter without incidents, a folder for words, a month that is none."""
    assert "add --incidents" in refused("list", "--severity", "SEV1")
    assert f"--folder {incidents}" in refused("list", "--incidents", str(incidents))
    assert "write a month as 2026-11" in refused("list", "--incidents", "--month", "november")
    assert "is no folder" in refused("list", "--incidents", "--folder", "/nowhere")
    assert "'bad' is not one of" in refused("list", "--incidents", "--verdict", "bad")
