"""What a runbook may call, as `runbook calls` lists it for an author."""

from runbook_nb.authoring.lint.call_registry import CallRegistry
from runbook_nb.packs.everyday import PACK


def test_arguments_are_listed_in_an_authors_words():
    """Nobody has to know how Python writes a type."""
    lines = {one.call: one.line for one in CallRegistry((PACK,)).offered()}

    assert lines["command.exit_code"] == "command.exit_code(words: list)"
    assert "parameters: dict = None, unit: text = ''" in lines["sql.value"]
    assert "window: duration, step: duration = None" in lines["prometheus.range_avg"]
    assert not [line for line in lines.values() if "typing" in line or "|" in line]
