"""The reference cannot drift: what is not in it fails here, and its schemas hold for real files."""

import inspect
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

import runbook_nb
from runbook_nb.authoring.reference import SCHEMAS, schema, topic_names, topics, write_site
from runbook_nb.authoring.reference.schemas import made
from runbook_nb.authoring.reference.variables import VARIABLES
from runbook_nb.cli import app, run_command
from runbook_nb.cli.reference import reference
from runbook_nb.errors import ParameterError
from runbook_nb.incident import Incident
from runbook_nb.probes import environment
from runbook_nb.probes.limits import Limit
from runbook_nb.record.page import write_record
from runbook_nb.timeline.events import EVENTS
from story import heartbeat

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "runbook_nb"
# What begins a run from outside, and what only shows it.
NO_VERBS = {"begin", "board"}


@pytest.fixture(scope="module")
def pages():
    """All topics by name."""
    return {topic.name: topic for topic in reference()}


def names(topic):
    """The names of a topic's entries."""
    return {entry.name for entry in topic.entries}


def test_every_topic_has_words_and_every_entry_says_something(pages):
    """An entry without a sentence is a docstring that is missing."""
    for topic in pages.values():
        assert topic.about, topic.name
        assert topic.entries, topic.name
        for entry in topic.entries:
            assert entry.about.strip() or topic.name == "record", f"{topic.name}: {entry.name}"


def test_every_command_is_documented(pages):
    """Also those of groups; with each of its options."""
    import typer

    def walk(group, begin):
        for name, command in group.commands.items():
            if getattr(command, "commands", None):
                yield from walk(command, f"{begin} {name}")
            else:
                yield f"{begin} {name}", command

    found = {entry.name: entry for entry in pages["commands"].entries}
    for name, command in walk(typer.main.get_command(app), "runbook"):
        for option in command.params:
            assert option.opts[0] in found[name].form
    assert {"runbook lab up", "runbook run", "runbook help", "runbook docs"} <= set(found)


def test_every_verb_and_every_limit_is_documented(pages):
    """What a cell may say."""
    verbs = {name for name, _ in inspect.getmembers(Incident, inspect.isfunction)}
    verbs |= {"open"}
    public = {name for name in verbs if not name.startswith("_")} - NO_VERBS
    assert names(pages["verbs"]) == {f"incident.{name}" for name in public}
    limits = {
        name
        for name in runbook_nb.__all__
        if inspect.isfunction(found := getattr(runbook_nb, name))
        and inspect.signature(found).return_annotation in (Limit, "Limit")
    }
    assert limits
    assert limits <= names(pages["limits"])


def test_every_event_and_every_setting_is_documented(pages):
    """By the word that stands in the file."""
    assert names(pages["events"]) == {kind.kind for kind in EVENTS}
    assert names(pages["settings"]) >= environment.SECRET_SETTINGS | {
        "kind",
        "approve",
        "concurrent_probes",
    }


def test_every_variable_that_is_read_is_documented_and_no_other(pages):
    """In the whole of the engine and its packs."""
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in SOURCE.rglob("*.py")
        if path.parent.name != "reference"
    )
    read = set(re.findall(r"RUNBOOK_[A-Z]+(?:_[A-Z]+)*(?:__(?=[\"\'` ]))?", text))
    read = {
        "RUNBOOK_ENVIRONMENTS__" if name.startswith("RUNBOOK_ENVIRONMENTS") else name
        for name in read
    }
    assert read == set(VARIABLES) == names(pages["variables"])


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_shipped_as_the_types_say_it(name):
    """Else: python -m runbook_nb.authoring.reference.schemas."""
    assert schema(name) == made(name)
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_an_unknown_schema_is_named_with_those_there_are():
    """One clear sentence."""
    with pytest.raises(ParameterError, match=r"No schema 'evnt'.*event"):
        schema("evnt")


def test_the_schemas_hold_for_every_runbook_and_drill_that_is_shipped():
    """And refuse one whose expectation has a word that no drill knows."""
    front = jsonschema.Draft202012Validator(schema("front-matter"))
    new = ROOT / "templates" / "project" / "notebooks"
    for path in [*(ROOT / "notebooks").glob("*.md"), *new.glob("*.md")]:
        head = path.read_text(encoding="utf-8").split("---\n")[1]
        told = yaml.safe_load(head.replace("$today", "2026-11-27"))["jupyter"]["runbook"]
        front.validate(told)
    assert not front.is_valid({**told, "last_validated": "never"})
    assert not front.is_valid({**told, "ranking": {"first": ["A"]}})
    drill = jsonschema.Draft202012Validator(schema("drill"))
    for path in (ROOT / "notebooks" / "drills").glob("*.json"):
        told = json.loads(path.read_text(encoding="utf-8"))
        drill.validate(told)
    told["extensions"] = [
        {"name": "runbook", "variations": [{"fault": "x", "expect": {"fails": []}}]}
    ]
    assert not drill.is_valid(told)


def test_the_schemas_hold_for_a_timeline_and_its_record(tmp_path):
    """As they stand on disk; a line with a word too many is none."""
    folder = tmp_path / "INC-1"
    heartbeat(folder)
    write_record(folder)
    line = jsonschema.Draft202012Validator(schema("event"))
    lines = [*map(json.loads, (folder / "timeline.jsonl").read_text().splitlines())]
    for told in lines:
        line.validate(told)
    assert not line.is_valid({**lines[0], "kind": "begun"})
    assert not line.is_valid({key: value for key, value in lines[0].items() if key != "prev"})
    facts = json.loads((folder / "record.json").read_text())
    jsonschema.Draft202012Validator(schema("record")).validate(facts)


def test_the_site_is_whole_and_asks_nothing_of_the_network(tmp_path):
    """Each topic has its page, each schema its file; written again it stays one site."""
    index = write_site(tmp_path / "site", reference())
    again = write_site(tmp_path / "site", reference())

    assert again == index
    pages = {path.name: path.read_text(encoding="utf-8") for path in index.parent.glob("*.html")}
    assert set(pages) == {"index.html", *(f"{topic.name}.html" for topic in reference())}
    for text in pages.values():
        assert not re.search(r"(src|href)=\"(https?:)?//", text)
        assert "<script" not in text
    assert {path.stem for path in (index.parent / "schemas").iterdir()} == set(SCHEMAS)


def test_a_folder_with_other_files_is_left_as_it_is(tmp_path):
    """Nothing is written there."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ParameterError, match="holds other files"):
        write_site(tmp_path, topics([], {}))
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_help_lists_shows_and_searches(capsys):
    """An unknown topic names a near one."""
    assert run_command(["help"]) == 0
    assert "verbs" in capsys.readouterr().out
    assert run_command(["help", "limits"]) == 0
    assert "at_most(bound" in capsys.readouterr().out
    assert run_command(["help", "--search", "concurrent_probes"]) == 0
    assert capsys.readouterr().out.startswith("settings: ")
    assert run_command(["help", "verb"]) == 3
    assert "verbs" in capsys.readouterr().err
    assert run_command(["help", "--search", "zzz-nowhere"]) == 3


def test_a_topic_is_made_alone_under_the_name_that_is_offered(pages):
    """A shell completes the names; the page of all calls loads every pack."""
    assert topic_names() == list(pages)
    assert topics([], {}, names=["limits", "verbs"]) == [pages["verbs"], pages["limits"]]


def test_the_hooks_of_pre_commit_are_commands_that_exist(pages):
    """They look at the whole folder, as a pair is more than one file."""
    for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()):
        command = " ".join(hook["entry"].split()[:2])
        assert command in names(pages["commands"])
        assert not hook["pass_filenames"]
