"""The commands list, show, owners, coverage, and the README's index."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runbook_nb.cli import app
from runbook_nb.errors import ParameterError
from runbook_nb.runbook.catalog import read_entries
from runbook_nb.runbook.catalog.readme import BEGIN, END, with_index
from runbook_nb.runbook.catalog.resolved_steps import with_values
from runbook_nb.runbook.policy import read_policy
from runbook_nb.testing import environ

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def told():
    """What the commands said beside their answer."""
    return []


@pytest.fixture
def runbook(shelf, told):
    """Give the command, on the shelf."""

    def run(*arguments: str, expect: int = 0) -> str:
        with environ(RUNBOOK_NOTEBOOKS=str(shelf)):
            result = CliRunner().invoke(app, arguments)
        assert result.exit_code == expect, result.output
        told.append(result.stderr)
        return result.stdout

    return run


def test_the_readme_index_is_up_to_date():
    """Run `runbook fmt` after a runbook was added, validated or retired."""
    policy = read_policy(PROJECT / "notebooks")
    today = datetime.now(UTC).date()
    entries = read_entries(PROJECT / "notebooks", policy=policy, today=today)
    text = (PROJECT / "README.md").read_text(encoding="utf-8")

    assert with_index(text, entries) == text


def test_list_prints_the_index_or_what_was_found(runbook):
    """In text and as JSON; nothing found is an error."""
    assert "3 to run, 2 of them due for validation; 16 not written yet." in runbook("list")
    assert len(json.loads(runbook("list", "--json"))) == 19
    assert runbook("list", "p95", "heartbeat").startswith("1. heartbeat_failure_recovery")
    best = json.loads(runbook("list", "p95 heartbeat", "--json"))[0]
    assert best["reasons"][0]["place"] == "Symptoms"
    assert "No runbook speaks of" in runbook("list", "zzzzqqqq", expect=3)


def test_a_wrong_policy_is_one_sentence_and_hides_no_runbook(runbook, shelf, write_file, told):
    """The runbooks are listed without it; an index that would lose the groups is not written."""
    (shelf / "organisation.toml").write_text("[[group]]\nnme = 'A'\n")
    readme = write_file("README.md", f"{BEGIN}\nkept\n{END}\n")

    listed = runbook("list")
    assert "organisation.toml: group 1, `nme`: nobody reads it. Did you mean 'name'?" in told[0]
    assert "3 to run, 1 of them due for validation; 0 not written yet." in listed
    with environ(RUNBOOK_NOTEBOOKS=str(shelf)), pytest.raises(ParameterError, match="`nme`"):
        CliRunner().invoke(app, ["list", "--readme", str(readme)], catch_exceptions=False)
    assert "kept" in readme.read_text()


def test_another_organisations_runbooks_are_listed_in_its_groups(runbook, shelf):
    """Nothing of anybody else's plan is in it."""
    (shelf / "organisation.toml").write_text(
        '[[group]]\nname = "Data & Storage"\n[[group.runbook]]\nname = "shop_down"\n'
    )

    lines = runbook("list").splitlines()
    assert lines[0] == "Data & Storage"
    assert lines[1].split() == ["shop_down", "not", "written", "yet"]
    assert "inspection_timeout" not in runbook("list")


def test_show_prints_steps_with_their_calls(runbook):
    """As text, as Markdown with a block for each cell, and as JSON."""
    text = runbook("show", "rollback_procedure")
    assert "call: p.ask()" in text
    assert "SEV2, Operations (Incident Commander) + Release Manager, stale: validated" in text
    assert "```python\nincident.check('Lag', p.ask())\n```" in runbook(
        "show", "rollback_procedure", "--markdown"
    )
    assert json.loads(runbook("show", "rollback_procedure", "--json"))[0]["call"] == "p.ask()"


def test_values_stand_where_the_parameters_stood():
    """All else as it was written, also behind letters of more than one byte."""
    source = 'incident.check("é window_s", a.b(window=seconds(window_s)), k=other)'

    filled = with_values(source, {"window_s": 300, "env": "x"})

    assert filled == 'incident.check("é window_s", a.b(window=seconds(300)), k=other)'


def test_owners_exits_by_the_worst(runbook, shelf):
    """As a check of monitoring would."""
    (shelf / "contacts.toml").write_text('[[owner]]\nname = "Operations"\n')

    assert "unknown" in runbook("owners", expect=2)


def test_coverage_counts_no_name_that_a_template_fills_in_later(runbook, write_file, told):
    """It is named as one, and so is what to give."""
    rules = "groups:\n- rules:\n  - alert: '{{ $env }}Down'\n  - alert: AllDown\n"

    said = runbook("coverage", "--alerts", str(write_file("rules.yml", rules)), expect=2)

    assert "AllDown" in said
    assert "$env" not in said
    assert (
        "rules.yml is a template, and 1 of its names are filled in later: {{ $env }}Down" in told[0]
    )


def test_coverage_exits_by_whether_there_is_a_gap(runbook, write_file):
    """The lab's rules are not all answered on this shelf."""
    said = runbook("coverage", "--alerts", str(write_file("mine.txt", "Mine")), expect=2)

    assert "Mine" in said
    assert "NOBODY" in said
