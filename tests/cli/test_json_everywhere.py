"""Every command that ends by itself says what it did as JSON too."""

import json

import pytest
import typer

from runbook_nb.cli import app, run_command
from story import opened_incident

# Two are servers, one is a conversation.
WITHOUT = {"open", "serve", "walk"}


def commands(group, begin=()):
    """Yield every command with the words that call it."""
    for name, command in group.commands.items():
        if getattr(command, "commands", None):
            yield from commands(command, (*begin, name))
        else:
            yield (*begin, name), command


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Give the folder of all incidents, with one that is open."""
    monkeypatch.setenv("RUNBOOK_INCIDENTS", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    opened_incident(tmp_path)
    return tmp_path


def test_every_command_takes_the_option():
    """But servers and a conversation."""
    lacks = {
        " ".join(words)
        for words, command in commands(typer.main.get_command(app))
        if not any("--json" in each.opts for each in command.params)
    }
    assert lacks == WITHOUT


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        (["note", "INC-1", "Seen."], {"incident": "INC-1", "kind": "noted", "text": "Seen."}),
        (
            ["severity", "INC-1", "SEV3", "--because", "One tenant."],
            {"kind": "classified", "severity": "SEV3", "before": "SEV2"},
        ),
        (["close", "INC-1", "--resolution", "Over."], {"incident": "INC-1", "unanswered": []}),
        (["discard", "INC-1", "--because", "A mistake."], {"incident": "INC-1"}),
        (["postmortem", "INC-1", "--to", "-"], {"incident": "INC-1"}),
        (["fmt", "--check"], {"out_of_date": [], "conflicts": []}),
        (["key"], {"owner": "", "may_approve": False}),
        (["help"], {"verbs": "Verbs of a cell"}),
    ],
)
def test_what_was_done_is_json_and_nothing_else_is_printed(here, capsys, words, holds):
    """A machine reads the output whole."""
    assert run_command([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {key: told[key] for key in holds} == holds


def test_docs_names_its_index(here, capsys):
    """Which a machine can open."""
    assert run_command(["docs", "--to", str(here / "site"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"index": str(here / "site" / "index.html")}
