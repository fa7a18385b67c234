"""Every rule finds the mistake it is for, at its line, and nothing else does."""

import importlib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from broken import break_it, edits, found_in

from runbook_nb.authoring.lint import RULES, Severity, as_text, lint
from runbook_nb.runbook import pair

SHIPPED = sorted((Path(__file__).parents[3] / "notebooks").glob("*.md"))
HERE = {edit["rule"] for edit in edits()}
ELSEWHERE = {"rehearsal"}


def test_the_good_runbook_has_no_finding(folder):
    """Else every other test here would prove nothing."""
    assert found_in(folder) == []


@pytest.mark.parametrize(
    "edit", edits(), ids=[f"{number}-{edit['rule']}" for number, edit in enumerate(edits())]
)
def test_one_mistake_breaks_one_rule_at_its_line(folder, edit):
    """The responder of the finding is the author, who must find the place."""
    break_it(folder, edit)

    found = found_in(folder)

    own = [finding for finding in found if finding.rule == edit["rule"]]
    assert own, [f"{finding.rule}: {finding.message}" for finding in found]
    lines = own[0].path.read_text(encoding="utf-8").splitlines()
    places = [lines[finding.line - 1] for finding in own]
    assert any(edit["at"] in line for line in places), places
    others = {finding.rule for finding in found} - {edit["rule"], *edit.get("also", ())}
    assert not others or "*" in edit.get("also", ())


def test_every_rule_is_held_by_a_bad_runbook():
    """A rule that nothing breaks may have stopped working."""
    assert {rule.name for rule in RULES} - ELSEWHERE == HERE


def test_an_action_without_a_rehearsal_is_warned_of(folder, unrehearsed):
    """No shipped action is so."""
    path = folder / "trial.md"
    text = path.read_text(encoding="utf-8")
    text = text.replace("import agent, heartbeats", "import agent, heartbeats, unrehearsed")
    path.write_text(text.replace("agent.restart()", "unrehearsed.change()"), encoding="utf-8")
    pair.write(path)

    (found,) = found_in(folder)

    assert (found.rule, found.severity) == ("rehearsal", Severity.WARNING)


def test_every_rule_has_a_name_a_reason_and_a_fix():
    """They are what the author reads."""
    counted = Counter(rule.name for rule in RULES)
    assert set(counted.values()) == {1}
    for rule in RULES:
        assert rule.name == rule.name.lower()
        for words in (rule.says, rule.reason, rule.fix):
            assert words.endswith((".", ")", "`", "}")), (rule.name, words)
            assert words[0].isupper() or words[0] == "`"


def test_the_words_of_the_verbs_are_those_of_the_incident():
    """Lint knows them by heart, since it may not run what it judges."""
    import inspect

    words = importlib.import_module("runbook_nb.authoring.lint.rules.cells").WORDS
    verbs = importlib.import_module("runbook_nb.incident").Incident
    for verb, (count, needed, allowed) in words.items():
        _, *rest = inspect.signature(getattr(verbs, verb)).parameters.values()
        keywords = rest[count:]
        assert {one.name for one in keywords if one.default is one.empty} == needed, verb
        assert {one.name for one in keywords if one.default is not one.empty} == allowed, verb


def test_nothing_of_a_runbook_is_run(folder):
    """Lint is for texts that nobody has read yet."""
    path, trap = folder / "trial.md", folder / "ran"
    text = path.read_text(encoding="utf-8")
    code = f"__import__('pathlib').Path({str(trap)!r}).touch()"
    path.write_text(text.replace("incident.decide()", code), encoding="utf-8")

    assert {finding.rule for finding in found_in(folder)} >= {"one-verb", "decide"}
    assert not trap.exists()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_runbook_is_free_of_errors(path):
    """What we ask of others."""
    found = lint([path], folder=path.parent, now=datetime.now(UTC))

    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    assert as_text(errors) == ""
