"""The faces of a finding: text, JSON, and SARIF as code hosts need it."""

import json
from pathlib import Path

import pytest
from broken import NOW, found_in

import runbook_nb.authoring.lint
from runbook_nb.authoring.lint import RULES, Finding, Severity, as_json, as_sarif, as_text, lint
from runbook_nb.errors import RunbookNotFoundError

ROOT = Path("/checkout")
ERROR = Finding(
    path=ROOT / "notebooks" / "a b.md",
    line=7,
    rule="secret",
    message="This looks like a secret (jwt).",
    fix="Take it out.",
    severity=Severity.ERROR,
)
WARNING = Finding(
    path=ROOT / "notebooks" / "c.md",
    line=1,
    rule="fresh",
    message="This runbook was never validated.",
    fix="Run `runbook validate`.",
    severity=Severity.WARNING,
)


def test_all_public_names_exist_and_are_sorted():
    """The list is the contract."""
    assert sorted(runbook_nb.authoring.lint.__all__) == sorted(
        set(runbook_nb.authoring.lint.__all__)
    )
    for name in runbook_nb.authoring.lint.__all__:
        assert getattr(runbook_nb.authoring.lint, name) is not None


def test_text_is_file_line_rule_message():
    """One line each, as editors and people read it."""
    assert as_text([ERROR, WARNING], root=ROOT).splitlines() == [
        "notebooks/a b.md:7 secret This looks like a secret (jwt). Take it out.",
        "notebooks/c.md:1 fresh warning: This runbook was never validated. Run `runbook validate`.",
    ]
    assert as_text([]) == ""


def test_json_holds_every_field():
    """For a machine that does not speak SARIF."""
    first, _ = json.loads(as_json([ERROR, WARNING], root=ROOT))

    assert first == {
        "path": "notebooks/a b.md",
        "line": 7,
        "rule": "secret",
        "message": "This looks like a secret (jwt).",
        "fix": "Take it out.",
        "severity": "error",
    }


def test_sarif_has_what_code_hosts_show():
    """Version, schema, rules with descriptions and help, and results with a relative place."""
    log = json.loads(as_sarif([ERROR, WARNING], root=ROOT))
    assert (log["version"], log["$schema"]) == (
        "2.1.0",
        "https://json.schemastore.org/sarif-2.1.0.json",
    )
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "runbook lint"
    assert [rule["id"] for rule in driver["rules"]] == [rule.name for rule in RULES]
    for rule in driver["rules"]:
        for field in ("shortDescription", "fullDescription", "help"):
            assert 0 < len(rule[field]["text"]) <= 1024
        assert rule["defaultConfiguration"]["level"] in ("error", "warning")

    first, second = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "notebooks/a%20b.md", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 7}
    assert (first["level"], second["level"]) == ("error", "warning")
    for result in (first, second):
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
    assert "%SRCROOT%" in run["originalUriBaseIds"]


def test_sarif_knows_a_finding_again_when_its_line_moves():
    """Else each commit closes all findings and opens them anew."""

    def prints(*findings: Finding) -> list[str]:
        results = json.loads(as_sarif(findings, root=ROOT))["runs"][0]["results"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]

    moved = Finding(**{**vars(ERROR), "line": 70})

    assert prints(ERROR) == prints(moved)
    assert len(set(prints(ERROR, moved))) == 2


def test_findings_come_by_file_and_line(folder):
    """As one reads."""
    text = (folder / "trial.md").read_text(encoding="utf-8")
    (folder / "trial.md").write_text(text.replace("### ", "#### "), encoding="utf-8")

    found = [finding for finding in found_in(folder) if finding.path.suffix == ".md"]

    assert [finding.line for finding in found] == sorted(finding.line for finding in found)
    assert len(found) > 3


def test_a_notebook_a_folder_and_nothing_name_runbooks_too(folder):
    """Whatever is at hand."""
    (folder / "other.md").unlink()
    by_notebook = lint([folder / "trial.ipynb"], folder=folder, now=NOW)

    assert lint([Path("trial")], folder=folder, now=NOW) == by_notebook
    assert by_notebook == lint([folder], folder=folder, now=NOW) == lint([], folder=folder, now=NOW)


def test_a_runbook_that_does_not_exist_is_refused_with_the_near_one(folder):
    """A typing mistake must not pass as clean."""
    with pytest.raises(RunbookNotFoundError, match="Did you mean 'trial'"):
        lint([folder / "trail.md"], folder=folder, now=NOW)
